import { expect, test, vi } from 'vitest';
import { expandSources } from '../../src/sources/index.ts';

vi.mock('@aws-sdk/client-s3', () => {
  throw new Error('Cannot find package');
});

test('without the SDK a message says how to install it', async () => {
  await expect(expandSources(['s3://bucket/prefix/'], { env: {} })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('npm install @aws-sdk/client-s3'),
  });
});
