/** What the tests use of autocannon, which has no types of its own. */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    readonly connections: number;
    readonly amount: number;
    readonly requests: readonly object[];
  }
  function autocannon(options: Options): Promise<{ readonly '2xx': number; readonly '4xx': number }>;
  export = autocannon;
}
