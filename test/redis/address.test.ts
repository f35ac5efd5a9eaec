/** Addresses as users write them; whatever they hold, no password is shown. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress, redactUrl } from '../../src/redis/address.ts';

const PLAIN = {
  host: '127.0.0.1',
  port: 6379,
  path: null,
  tls: false,
  username: null,
  password: null,
  db: 0,
  others: [],
};

it.each([
  ['redis://127.0.0.1:6379', {}],
  ['redis://', {}],
  ['redis://localhost', { host: 'localhost' }],
  ['redis://h:1/2', { host: 'h', port: 1, db: 2 }],
  ['redis://h?db=3', { host: 'h', db: 3 }],
  ['rediss://h', { host: 'h', tls: true }],
  ['redis://:p@h', { host: 'h', password: 'p' }],
  ['redis://u:p%40%2F%23@h', { host: 'h', username: 'u', password: 'p@/#' }],
  ['redis://[::1]:7000', { host: '::1', port: 7000 }],
  ['redis://a:7000,b,[::1]:7002', { host: 'a', port: 7000, others: ['b:6379', '::1:7002'] }],
  ['rediss://u:p%2C@a,b:1/0', { host: 'a', tls: true, username: 'u', password: 'p,', others: ['b:1'] }],
  ['unix:///tmp/r.sock', { host: null, port: 0, path: '/tmp/r.sock' }],
  [
    'unix://u:p@/tmp/r.sock?db=4',
    { host: null, port: 0, path: '/tmp/r.sock', username: 'u', password: 'p', db: 4 },
  ],
])('%s', (url, expected) => {
  expect(parseAddress(url)).toMatchObject({ ...PLAIN, ...expected });
});

it.each([
  '',
  'localhost:6379',
  'http://h',
  'redis://h:port',
  'redis://h/x',
  'redis://h/-1',
  'redis://u:p%zz@h',
  'redis://u:p/p@h',
  'redis://u:1,2/p@h',
  'redis://a,,b',
  'redis://a,',
  'redis://a,b:port',
  'unix://',
  'unix://relative.sock',
])('%j is refused', (url) => {
  expect(() => parseAddress(url)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

describe('passwords', () => {
  const password = fc
    .string({ minLength: 6, maxLength: 12, unit: fc.constantFrom(...'SECRET@:/#?%&=[] ') })
    .map((text) => `Q7${text}Q7`);
  const form = fc.constantFrom(
    (p: string) => `redis://:${p}@h:6379/0`,
    (p: string) => `redis://me:${p}@h/x`,
    (p: string) => `rediss://me:${encodeURIComponent(p)}@h/y`,
    (p: string) => `unix://me:${p}@/tmp/s`,
    (p: string) => `unix://me:${encodeURIComponent(p)}@/tmp/s?db=z`,
    (p: string) => `me:${p}@h`,
  );

  it('are in no message and no shown address', () => {
    fc.assert(
      fc.property(password, form, (secret, write) => {
        const url = write(secret);
        let shown = redactUrl(url);
        try {
          shown += parseAddress(url).shown;
        } catch (error) {
          shown += (error as Error).message;
        }
        expect(shown).not.toContain('Q7');
      }),
      { numRuns: 2000 },
    );
  });
});
