/** Methods of Node's Buffer that @types/node leaves out: text from and to bytes, with no encoding look-up. */
declare global {
  interface Buffer {
    base64Slice(start?: number, end?: number): string;
    latin1Slice(start?: number, end?: number): string;
    latin1Write(text: string, offset?: number, length?: number): number;
    utf8Slice(start?: number, end?: number): string;
    utf8Write(text: string, offset?: number, length?: number): number;
  }
}

export {};
