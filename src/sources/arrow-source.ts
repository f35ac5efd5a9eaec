import type { Source } from '../core/types.ts';
import type { ByteStream } from './bytes.ts';
import type { RawInput } from './input.ts';
export async function openArrow(
  _raw: RawInput,
  _chunks: ByteStream,
  _kind: 'file' | 'stream',
  _batchRows: number,
  _signal: AbortSignal | undefined,
): Promise<Source> {
  throw new Error('x');
}
