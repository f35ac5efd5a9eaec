/** Decimals: exact text, the scale kept as the source has it. */
import type { ByteString } from '../../core/types.ts';
import { type Codec, type Coded, numberFault, typedBy } from './codec.ts';

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/;

export const decimalCodec: Codec = {
  text: decimalCell,
  stored: null,
  typed: typedBy(decimalCell, (type) => {
    if (type.kind === 'decimal') return (value) => decimalText(value as bigint, type.scale);
    if (type.kind === 'int') return (value) => String(value);
    return type.kind === 'float' ? 'cast it to a decimal when the file is written, or use float64' : null;
  }),
};

/** `+007.50` → `7.50`, `.5` → `0.5`, `5.` → `5`, `-0.00` → `0.00`: no plus, no leading zeros, no sign on zero. */
function decimalCell(cell: ByteString): Coded {
  const match = DECIMAL.exec(cell);
  const [, sign = '', whole = '', fraction = ''] = match ?? [];
  if (!match || (whole === '' && fraction === ''))
    return numberFault('DECIMAL', 'a decimal number in digits', cell);
  const point = fraction === '' ? '' : '.';
  const digits = `${whole.replace(/^0+(?=\d)/, '') || '0'}${point}${fraction}`;
  return sign === '-' && /[1-9]/.test(digits) ? `-${digits}` : digits;
}

/** `unscaled` × 10^-scale. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return (unscaled * 10n ** BigInt(-scale)).toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}
