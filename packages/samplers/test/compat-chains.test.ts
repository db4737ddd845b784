import { schedulerClassNames } from '@langevin/samplers/compat';
import { describe, expect, test } from 'vitest';
import { allowed, caseName, compareCase, readGolden, runCase } from './support/compat-cases.ts';

/**
 * Float32 tables are bit for bit, so nothing but the order of float64 operations and the golden file's ten digits is left: one unit in
 * the last place of float32, 2^-23, is a thousand times that. Runs with seeds are float32 upstream, with the noise of torch to 2e-6.
 */
for (const part of ['chain', 'sigma', 'score'].filter((p) => (process.env.PART ?? p) === p)) {
  describe(part, () => {
    for (const golden of readGolden(part).cases) {
      if (!schedulerClassNames.includes(golden.class)) continue;
      test(caseName(golden), async () => {
        if (golden.fails !== undefined) {
          await expect(runCase(golden)).rejects.toThrow('[');
          return;
        }
        const { tables, states } = await compareCase(golden);
        expect(Math.max(tables, states / allowed(golden) * 2 ** -23)).toBeLessThan(2 ** -23);
      });
    }
  });
}
