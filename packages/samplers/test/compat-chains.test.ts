import { describe, expect, test } from 'vitest';
import { agrees, caseName, compareCase, runCase, type GoldenCase } from '@langevin/samplers/testing';
import { readGolden } from './support/golden.ts';

for (const part of ['chain', 'sigma', 'score'] as const) {
  describe(part, () => {
    for (const golden of readGolden(part).cases) test(caseName(golden), () => check(golden));
  });
}

async function check(golden: GoldenCase): Promise<void> {
  if (golden.fails !== undefined) {
    // What upstream refuses is refused; where it gives NaN ours may know better.
    const outcome = await runCase(golden).then(({ final }) => final, String);
    return expect(
      typeof outcome === 'string'
        ? /^(User|Unsupported)Error: \[/u.test(outcome)
        : golden.fails.startsWith('NaN') && outcome.every(Number.isFinite),
    ).toBe(true);
  }
  const found = await compareCase(golden);
  expect(agrees(golden, found), JSON.stringify(found)).toBe(true);
}
