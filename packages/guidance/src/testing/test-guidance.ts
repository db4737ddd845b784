import {
  defineConditionalDenoiser,
  isLevelList,
  type Algebra,
  type Coefficient,
  type ConditionalDenoiser,
  type Denoiser,
  type NoiseLevel,
  type NoiseLevels,
} from '@langevin/core';
import { arrayAlgebra, tensorAlgebra } from '@langevin/core-schedules';
import { counterGenerator, tensor, UserError, type Engine, type Tensor } from '@langevin/tensor';
import type { Guidance } from '../guidance.ts';

export interface GuidanceTestOptions {
  /** How the test runner registers a test: vitest's or node:test's `test`. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** How many conditions the rule is given. @default 1 */
  readonly conditions?: number;
  /** Engines on which tensors must give what plain arrays give. @default none */
  readonly engines?: readonly Engine[];
  /** Levels at which the rule is tried. @default three, of different units */
  readonly levels?: readonly NoiseLevel[];
}

const ITEMS = 3;
const SIZE = 5;
const LEVELS: readonly NoiseLevel[] = [
  { alpha: 1, sigma: 4 },
  { alpha: 0.8, sigma: 0.6 },
  { alpha: 0.9, sigma: 0.1 },
];

/**
 * Registers the conformance tests of a rule: where all conditions say the same it says that too; evaluations are counted truthfully at
 * every level; items of a batch do not see each other; units do not matter; gradients are those of the prediction; tensors give what arrays
 * give; what is no model or no condition is refused.
 *
 * @example
 * // not run: needs vitest
 * import { describe, test } from 'vitest';
 * describe('cfg', () => testGuidance(cfg({ scale: 3 }), { test }));
 */
export function testGuidance(guidance: Guidance, { test, conditions = 1, engines = [], levels = LEVELS }: GuidanceTestOptions): void {
  const algebra = arrayAlgebra({ items: ITEMS });
  const x = numbers(1, 3);
  const told = Array.from({ length: conditions }, (_, i) => numbers(10 + i, 0.7));
  const none = numbers(5, 0.7);
  const guided = (model = around<Float64Array>(algebra)): Denoiser<Float64Array> =>
    guidance.guide({ denoiser: model, algebra, conditions: told, none });
  const lists: readonly NoiseLevels[] = [...levels, Array.from({ length: ITEMS }, (_, i) => levels[i % levels.length]!)];

  test('says what all conditions say, where they agree', async () => {
    const same = numbers(20, 0.4);
    const near = numbers(21, 0.4);
    const all = guidance.guide({ denoiser: around<Float64Array>(algebra), algebra, conditions: told.map(() => same), none: same });
    for (const at of lists) {
      // States near the data, so that no threshold has anything to do.
      const state = algebra.linear([coefficient(at, ({ alpha }) => alpha), near]);
      close(await all(state, at), await around<Float64Array>(algebra)(state, at, same), { within: 1e-12, what: 'of equal conditions' });
    }
  });

  test('counts its evaluations', async () => {
    let calls = 0;
    const counting = around<Float64Array>(algebra, () => void (calls += 1));
    for (const at of lists) {
      calls = 0;
      const denoise = guided(counting);
      await denoise(x, at);
      demand(calls === denoise.nfe(at), `${calls} evaluations were made, and nfe says ${denoise.nfe(at)}`);
    }
  });

  test('gives the same each time, and leaves what it is given as it is', async () => {
    const before = [x, none, ...told].map((values) => values.slice());
    const denoise = guided();
    for (const at of lists) close(await denoise(x, at), await denoise(x, at), { within: 0, what: 'of the same state' });
    [x, none, ...told].forEach((values, i) => close(values, before[i]!, { within: 0, what: 'of an input' }));
  });

  test('items of a batch do not see each other; one level is as many equal ones', async () => {
    const alone = arrayAlgebra();
    for (const at of lists) {
      const together = await guided()(x, at);
      for (let item = 0; item < ITEMS; item++) {
        const part = (values: Float64Array): Float64Array => values.slice(item * SIZE, (item + 1) * SIZE);
        const own = guidance.guide({ denoiser: around<Float64Array>(alone), algebra: alone, conditions: told.map(part), none: part(none) });
        const level = isLevelList(at) ? at[item]! : at;
        close(await own(part(x), level), part(together), { within: 1e-12, what: 'of an item alone' });
      }
    }
  });

  test('does not care in which units the state is kept', async () => {
    for (const at of levels) {
      const here = await guided()(x, at);
      const there = await guided()(
        x.map((value) => 8 * value),
        { alpha: 8 * at.alpha, sigma: 8 * at.sigma },
      );
      close(there, here, { within: 1e-12, what: 'in other units' });
    }
  });

  test('gradients, where it has them, are those of what it says', async () => {
    const denoise = guided();
    if (denoise.pullback === undefined) return;
    const cotangent = numbers(30, 1);
    const direction = numbers(31, 1);
    const along = (step: number): Float64Array => x.map((value, i) => value + step * direction[i]!);
    const step = 1e-4;
    for (const at of lists) {
      const { denoised, vjp } = await denoise.pullback(x, at);
      close(denoised, await denoise(x, at), { within: 1e-12, what: 'beside its gradient' });
      const [more, less] = [await denoise(along(step), at), await denoise(along(-step), at)];
      const difference = dot(
        more.map((value, i) => (value - less[i]!) / (2 * step)),
        cotangent,
      );
      const gradient = dot((await vjp(cotangent)).x, direction);
      demand(Math.abs(gradient - difference) < 1e-7 * (1 + Math.abs(difference)), `gradient ${gradient}, difference ${difference}`);
    }
  });

  for (const engine of engines) {
    test('tensors give what arrays give', async () => {
      const over = tensorAlgebra({ engine });
      const asTensor = (values: Float64Array) => tensor(Float32Array.from(values), { shape: [ITEMS, SIZE] });
      const denoise = guidance.guide({
        denoiser: around<Tensor>(over),
        algebra: over,
        conditions: told.map(asTensor),
        none: asTensor(none),
      });
      for (const at of lists) {
        const there = await over.toHost(await denoise(asTensor(x), at));
        const here = await guided()(x, at);
        close(there, here, { within: 2e-5 * Math.max(1, ...here.map(Math.abs)), what: 'over tensors' });
      }
    });
  }

  test('refuses what is no model, no algebra and no condition', async () => {
    const denoiser = around<Float64Array>(algebra);
    const wrong = [
      { denoiser: (state: Float64Array) => state, algebra, conditions: told, none },
      { denoiser, algebra: undefined, conditions: told, none },
      { denoiser, algebra, conditions: [], none },
      undefined,
    ];
    for (const input of wrong) {
      let error: unknown;
      try {
        guidance.guide(input as never);
      } catch (reason) {
        error = reason;
      }
      demand(error instanceof UserError, `does not refuse with a UserError: ${String(error)}`);
    }
    return Promise.resolve();
  });
}

/** Data N(condition, 1/4) on every element, with exact gradients, over any algebra. */
function around<T>(algebra: Algebra<T>, asked: () => void = () => {}): ConditionalDenoiser<T, T> {
  const gain = ({ alpha, sigma }: NoiseLevel): number => (alpha * 0.25) / (alpha ** 2 * 0.25 + sigma ** 2);
  const rest = (level: NoiseLevel): number => 1 - gain(level) * level.alpha;
  const denoise = (x: T, at: NoiseLevels, condition: T): T => {
    asked();
    return algebra.linear([coefficient(at, gain), x], [coefficient(at, rest), condition]);
  };
  return defineConditionalDenoiser<T, T>({
    nfe: 1,
    denoise,
    pullback: async (x, at, condition) => ({
      denoised: denoise(x, at, condition),
      vjp: async (cotangent) => ({
        x: algebra.linear([coefficient(at, gain), cotangent]),
        condition: algebra.linear([coefficient(at, rest), cotangent]),
      }),
    }),
  });
}

function coefficient(at: NoiseLevels, fn: (level: NoiseLevel) => number): Coefficient {
  return isLevelList(at) ? at.map(fn) : fn(at);
}

function numbers(stream: number, spread: number): Float64Array {
  return Float64Array.from(counterGenerator({ seed: 4, stream: [stream] }).uniform(ITEMS * SIZE), (value) => spread * (2 * value - 1));
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function close(
  a: Float32Array | Float64Array,
  b: Float32Array | Float64Array,
  { within, what }: { readonly within: number; readonly what: string },
): void {
  demand(a.length === b.length, `${what}: ${a.length} numbers instead of ${b.length}`);
  const gap = Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
  demand(gap <= within && a.every(Number.isFinite), `${what}: ${gap} apart, allowed ${within}`);
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
