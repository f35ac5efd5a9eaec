import { expect, it } from 'vitest';
import { thinned } from '../../src/redis/persist.ts';

it('the same text is told once while it goes on, a new one at once', () => {
  const told: string[] = [];
  const tell = thinned((message) => void told.push(message), 0, 1e9);
  for (const message of ['down', 'down', 'down', 'loading', 'down', 'loading', 'full']) tell(message);
  expect(told).toEqual(['down', 'loading', 'full']);
});

it('it is told again after a while', () => {
  const told: string[] = [];
  const tell = thinned((message) => void told.push(message), 0, 0);
  for (let i = 0; i < 3; i += 1) tell('down');
  expect(told).toHaveLength(3);
});

it('messages that differ each time are thinned too', () => {
  const told: string[] = [];
  const tell = thinned((message) => void told.push(message), 1e9);
  for (let i = 0; i < 100; i += 1) tell(`try ${i}`);
  expect(told).toEqual(['try 0']);
});
