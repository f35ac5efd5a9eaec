/**
 * Loads with faults at random moments, each compared with a clean run. A few of them here, the same ones every
 * time; `npm run faults -- --runs 200 --seed 7` plays as many others as wanted.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Campaign, type Load, openCampaign, sampleLoads } from '../support/campaign.ts';

const runs = Number(process.env.FAULTS_RUNS ?? 10);
const seed = Number(process.env.FAULTS_SEED ?? 3);

let campaign: Campaign;
const faults = new Map<string, number>();

beforeAll(async () => {
  campaign = await openCampaign();
});
afterAll(async () => {
  await campaign.stop();
  if (process.env.FAULTS_RUNS === undefined) return;
  const lines = [...faults].sort().map(([name, count]) => `${String(count).padStart(5)}  ${name}`);
  process.stderr.write(`\nfaults in ${runs} loads of seed ${seed}:\n${lines.join('\n')}\n`);
});

const loads = sampleLoads(runs, seed).map(
  (load, i) => [i, `${load.site} ${load.plan.join(' ')}`, load] as const,
);

describe(`seed ${seed}`, () => {
  it.each(loads)(
    'load %i: %s',
    async (_number, _name, load: Load) => {
      const happened = await campaign.play(load);
      expect(happened.length).toBeGreaterThan(0);
      for (const fault of happened) {
        const name = `${load.site}: ${fault}`;
        faults.set(name, (faults.get(name) ?? 0) + 1);
      }
    },
    90_000,
  );
});
