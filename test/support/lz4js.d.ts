/** The part of lz4js that tests use; the package brings no types. */
declare module 'lz4js' {
  const lz4: { compress(bytes: Uint8Array): Uint8Array };
  export = lz4;
}
