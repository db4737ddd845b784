import { readFileSync } from 'node:fs';
import { schedulerClassNames } from '@langevin/samplers/compat';
import { liveLife, outcomeDifference, type GoldenLife, type GoldenLifeFile } from '@langevin/samplers/testing';
import { describe, expect, test } from 'vitest';

const { shape, cases } = JSON.parse(readFileSync(new URL('golden/scheduler-runs.json', import.meta.url), 'utf8')) as GoldenLifeFile;
const size = shape.reduce((product, each) => product * each, 1);

/** Python counts no further than the last sigma of a given list, and steps there for ever; here the run is over. */
const COUNTS_ON = (golden: GoldenLife): boolean => golden.class === 'LTXEulerAncestralRFScheduler' && 'sigmas' in golden.set;

test('every class is driven as its users drive it', () => {
  expect(new Set(cases.map((golden) => golden.class))).toEqual(new Set(schedulerClassNames));
});

for (const golden of cases) {
  const { class: name, config, set, step } = golden;
  describe([name, ...[config, set, step].map((part) => JSON.stringify(part) ?? '')].join(' ').replaceAll('"', ''), () => {
    // As far from diffusers' float64 run as its own float32 run is, or two units in the last place of float32.
    const bound = Math.max(golden.own, 2 ** -22);
    const life = liveLife(golden, { size, care: 'careful' });

    test('set, run twice with one source of noise, run with samples changed between calls: as diffusers', async () => {
      const ours = await life;
      const differences = (['early', 'final', 'again', 'changed', 'noised'] as const).map(
        (part) => [part, outcomeDifference(ours[part], golden[part])] as const,
      );
      expect(differences.filter(([, difference]) => !(difference <= bound))).toEqual([]);
      expect(outcomeDifference(ours.before.timesteps, golden.before.timesteps)).toBeLessThanOrEqual(2 ** -22);
      expect(Math.abs(ours.before.init / golden.before.init - 1)).toBeLessThanOrEqual(2 ** -22);
      expect(outcomeDifference(ours.batch, golden.batch ?? { raises: 0 })).toBeLessThanOrEqual(bound);
      expect(ours.draws).toBe(golden.draws);
      if (golden.stepIndex !== undefined && !COUNTS_ON(golden)) expect(ours.stepIndex).toBe(golden.stepIndex);
    });

    test('an output of the wrong size in each call is refused, and the right one goes on as if it had not been', async () => {
      expect(await liveLife(golden, { size, care: 'careless' })).toEqual(await life);
    });
  });
}
