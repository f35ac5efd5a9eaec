/** The part of lz4js that is used; the package brings no types. */
declare module 'lz4js' {
  const lz4: {
    decompress(bytes: Uint8Array): Uint8Array;
    compress(bytes: Uint8Array): Uint8Array;
  };
  export = lz4;
}
