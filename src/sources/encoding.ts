import { FeaturectlError } from '../core/errors.ts';
import { type ByteStream, peek } from './bytes.ts';

export type TextEncoding = 'utf8' | 'latin1' | 'windows-1252' | 'utf16le';

type Wide = 'utf-16le' | 'utf-16be';

/** Bytes looked at to find a byte order mark or the pattern of UTF-16. */
export const SNIFF = 64;

/**
 * Turns text of the declared encoding (default UTF-8) into UTF-8 without a byte order mark. A mark decides
 * where nothing is declared; UTF-16 without either, or text that is not of its encoding, is
 * SOURCE_ENCODING. Bytes of UTF-8 are passed on unchecked.
 */
export async function* toUtf8(
  input: ByteStream,
  name: string,
  declared: TextEncoding | undefined,
): ByteStream {
  const { head, chunks } = await peek(input, SNIFF);
  const mark = byteOrderMark(head);
  refuseMismatch(name, declared, mark?.encoding ?? null);
  const body = skip(chunks, mark?.length ?? 0);
  const encoding = mark?.encoding ?? wideName(declared);
  if (encoding === 'utf-16le' || encoding === 'utf-16be') {
    yield* decodeWide(body, name, encoding);
  } else if (declared === 'latin1') {
    for await (const chunk of body) yield Buffer.from(chunk.toString('latin1'), 'utf8');
  } else if (declared === 'windows-1252') {
    for await (const chunk of body) yield Buffer.from(fromWindows1252(chunk), 'utf8');
  } else {
    if (encoding === null) refuseUndeclaredWide(name, head);
    yield* body;
  }
}

/** Bytes 0x80 to 0x9F by https://encoding.spec.whatwg.org/index-windows-1252.txt; the five without a character stay. */
const WINDOWS_1252 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

/** Not by TextDecoder: the one of Node 20 takes windows-1252 for latin1. */
function fromWindows1252(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (char) => WINDOWS_1252[char.charCodeAt(0) - 0x80] ?? char);
}

/** Bytes before the text, where `toUtf8` passes it on as it stands; null where it does not. `head` as it begins. */
export function plainTextStart(head: Buffer, declared: TextEncoding | undefined): number | null {
  const mark = byteOrderMark(head);
  const isUtf8 = mark === null ? (declared ?? 'utf8') === 'utf8' : mark.encoding === 'utf-8';
  return isUtf8 ? (mark?.length ?? 0) : null;
}

interface Mark {
  readonly encoding: 'utf-8' | Wide;
  readonly length: number;
}

function byteOrderMark(head: Buffer): Mark | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', length: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', length: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', length: 2 };
  return null;
}

function wideName(declared: TextEncoding | undefined): Wide | null {
  return declared === 'utf16le' ? 'utf-16le' : null;
}

function refuseMismatch(
  name: string,
  declared: TextEncoding | undefined,
  found: Mark['encoding'] | null,
): void {
  if (declared === undefined || found === null) return;
  const expected = declared === 'utf8' ? 'utf-8' : declared === 'utf16le' ? 'utf-16le' : declared;
  if (expected === found) return;
  throw new FeaturectlError(
    'SOURCE_ENCODING',
    `${name}: expected ${expected} as --encoding says, found the byte order mark of ${found}; leave --encoding out`,
  );
}

/** Text has no NUL; ASCII in UTF-16 has one in every second byte. */
function refuseUndeclaredWide(name: string, head: Buffer): void {
  const nuls = [0, 0];
  const even = head.length - (head.length % 2);
  for (let at = 0; at < even; at++) if (head[at] === 0) nuls[at % 2]!++;
  const [high = 0, low = 0] = nuls;
  // A header begins with a character of ASCII, of which one of the first two bytes is NUL; a lone NUL is data.
  const begins = head[low > 0 ? 1 : 0] === 0;
  if (even < 4 || !begins || Math.max(high, low) < even / 4 || Math.min(high, low) > 0) return;
  const found = low > 0 ? 'UTF-16LE' : 'UTF-16BE';
  const remedy = low > 0 ? 'give --encoding utf16le' : `convert it first: iconv -f UTF-16BE -t UTF-8`;
  throw new FeaturectlError(
    'SOURCE_ENCODING',
    `${name}: expected UTF-8, found what looks like ${found} without a byte order mark; ${remedy}`,
  );
}

async function* skip(chunks: ByteStream, bytes: number): ByteStream {
  let left = bytes;
  for await (const chunk of chunks) {
    const taken = Math.min(left, chunk.length);
    left -= taken;
    if (taken < chunk.length) yield chunk.subarray(taken);
  }
}

async function* decodeWide(chunks: ByteStream, name: string, encoding: Wide): ByteStream {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  const decode = (chunk: Buffer | null): Buffer => {
    try {
      const text = chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
      return Buffer.from(text, 'utf8');
    } catch (error) {
      const message = `${name}: expected ${encoding}, found bytes that are not; convert it to UTF-8 first`;
      throw new FeaturectlError('SOURCE_ENCODING', message, { cause: error });
    }
  };
  for await (const chunk of chunks) {
    const text = decode(chunk);
    if (text.length > 0) yield text;
  }
  const last = decode(null);
  if (last.length > 0) yield last;
}
