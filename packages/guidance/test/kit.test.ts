import { bindCondition, combineDenoisers, defineDenoiser, deriveDenoiser, type Denoiser } from '@langevin/core';
import { cfg, defineGuidance, type Guidance, type GuidanceInput } from '@langevin/guidance';
import { testGuidance } from '@langevin/guidance/testing';
import { describe, expect, test } from 'vitest';

/** The checks that a rule does not pass, by name. */
async function failures(guidance: Guidance): Promise<readonly string[]> {
  const checks: (readonly [string, () => Promise<void>])[] = [];
  testGuidance(guidance, { test: (name, run) => void checks.push([name, run]) });
  const failed: string[] = [];
  for (const [name, run] of checks)
    await run().catch(() => {
      failed.push(name);
    });
  return failed;
}

const rule = (guide: <T, C>(input: GuidanceInput<T, C>) => Denoiser<T>): Guidance =>
  defineGuidance({ name: 'broken', summary: 'Broken.', source: 'none', guide });
const both = <T, C>({ denoiser, conditions, none }: GuidanceInput<T, C>): readonly [Denoiser<T>, Denoiser<T>] => [
  bindCondition(denoiser, conditions[0]!),
  bindCondition(denoiser, none!),
];

describe('the kit tells what a rule does not keep', () => {
  test('a sound rule passes all', async () => {
    expect(await failures(cfg({ scale: 3 }))).toEqual([]);
  });

  test('weights that do not add up to 1', async () => {
    const broken = rule((input) =>
      combineDenoisers(both(input), ([{ denoised: d }, { denoised: u }]) => ({ denoised: input.algebra.linear([3, d], [-1, u]) })),
    );
    expect(await failures(broken)).toEqual(['says what all conditions say, where they agree']);
  });

  test('evaluations that are not counted', async () => {
    const broken = rule((input) => {
      const [conditional, unconditional] = both(input);
      return defineDenoiser({
        nfe: 1,
        denoise: async (x, at) => input.algebra.linear([2, await conditional(x, at)], [-1, await unconditional(x, at)]),
      });
    });
    expect(await failures(broken)).toEqual(['counts its evaluations']);
  });

  test('items that see each other', async () => {
    const broken = rule((input) =>
      deriveDenoiser(both(input)[0], {
        output: async (prediction) => {
          const most = Math.max(...(await input.algebra.absQuantile(prediction, 1)));
          return most > 1 ? input.algebra.linear([1 / most, prediction]) : prediction;
        },
      }),
    );
    expect(await failures(broken)).toEqual(['items of a batch do not see each other; one level is as many equal ones']);
  });

  test('a strength that depends on units', async () => {
    const broken = rule((input) => cfg({ scale: ({ sigma }) => 1 + sigma }).guide(input));
    expect(await failures(broken)).toEqual(['does not care in which units the state is kept']);
  });

  test('gradients of something else', async () => {
    const broken = rule((input) => {
      const guided = cfg({ scale: 3 }).guide(input);
      return defineDenoiser({ nfe: guided.nfe, detailed: guided.detailed, pullback: both(input)[0].pullback! });
    });
    expect(await failures(broken)).toEqual(['gradients, where it has them, are those of what it says']);
  });
});
