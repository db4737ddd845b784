import { describe, expect, test } from 'vitest';
import { allowed, caseName, compareCase, refusedHere, runCase, type GoldenCase } from '@langevin/samplers/testing';
import { readGolden } from './support/golden.ts';

for (const part of ['chain', 'sigma', 'score'] as const) {
  describe(part, () => {
    for (const golden of readGolden(part).cases) test(caseName(golden), () => check(golden));
  });
}

async function check(golden: GoldenCase): Promise<void> {
  const refusal = refusedHere(golden);
  if (refusal !== undefined) return expect(runCase(golden)).rejects.toThrow(refusal);
  if (golden.fails !== undefined) {
    // What upstream refuses is refused; where it gives NaN ours may know better.
    const outcome = await runCase(golden).then(({ final }) => final, String);
    return expect(typeof outcome === 'string' ? /^(User|Unsupported)Error: \[/u.test(outcome) : golden.fails.startsWith('NaN') && outcome.every(Number.isFinite)).toBe(true);
  }
  const { tables, states } = await compareCase(golden);
  expect(Math.max(tables, states)).toBeLessThanOrEqual(allowed(golden));
}
