/**
 * Bytes copied four at a time, wherever they stand: most of what a row is made of has 5 to 30 bytes, where a call
 * into C++ costs more than it does. Up to three bytes are written behind what is meant, to be written over by
 * what follows: whoever calls has room for WORD_SLACK more bytes.
 */

export const WORD_SLACK = 3;

/** Bytes that are the same in every row. */
export interface Words {
  readonly length: number;
  readonly words: Int32Array;
}

export function wordsOf(bytes: Uint8Array): Words {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return { length: bytes.length, words };
}

export function bytesOf({ length, words }: Words): Uint8Array {
  return new Uint8Array(words.buffer, 0, length);
}

/** Gives the position after them. */
export function putWords(target: DataView, at: number, { length, words }: Words): number {
  for (let i = 0, to = at; i < words.length; i += 1, to += 4) target.setInt32(to, words[i]!, true);
  return at + length;
}

/** Copies source[start .. end) and gives the position after them. */
export function putSpan(target: DataView, at: number, source: DataView, start: number, end: number): number {
  if (end + WORD_SLACK <= source.byteLength) {
    for (let from = start, to = at; from < end; from += 4, to += 4) {
      target.setInt32(to, source.getInt32(from, true), true);
    }
  } else {
    for (let from = start, to = at; from < end; from += 1, to += 1)
      target.setUint8(to, source.getUint8(from));
  }
  return at + end - start;
}

export function createView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Gives a view of bytes, and the same one as long as no more than two kinds of bytes are asked for by turns. Holds both. */
export function createViewer(): (bytes: Uint8Array) => DataView {
  let last: Uint8Array | null = null;
  let other: Uint8Array | null = null;
  let view: DataView = new DataView(new ArrayBuffer(0));
  let otherView = view;
  return (bytes) => {
    if (bytes === last) return view;
    if (bytes === other) return otherView;
    other = last;
    otherView = view;
    last = bytes;
    view = createView(bytes);
    return view;
  };
}
