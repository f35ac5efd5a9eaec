/** Methods of Node's Buffer that @types/node leaves out: a ByteString from and to bytes, with no encoding look-up. */
declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}

export {};
