import {
  bindCondition,
  checkDenoiser,
  combineDenoisers,
  defineConditionalDenoiser,
  defineDenoiser,
  deriveConditionalDenoiser,
  deriveDenoiser,
  requirePullback,
  sigmaLevel,
  type ConditionalDenoiser,
  type Denoiser,
  type NoiseLevels,
} from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { describe, expect, expectTypeOf, it } from 'vitest';

const at = sigmaLevel(2);
const of = (...values: number[]): Float64Array => Float64Array.from(values);

/** x^2, element by element, with all that a denoiser may say. */
const squared = defineDenoiser<Float64Array>({
  nfe: (level) => ('sigma' in level && level.sigma > 1 ? 2 : 1),
  detailed: (x) => ({ denoised: x.map((v) => v ** 2), unconditional: x.map((v) => -v), variance: x.map(() => 0.25) }),
  pullback: async (x) => ({
    denoised: x.map((v) => v ** 2),
    vjp: async (cotangent) => ({ x: cotangent.map((c, i) => 2 * x[i]! * c) }),
  }),
});

/** condition * x, with both gradients. */
const product = defineConditionalDenoiser<Float64Array, Float64Array>({
  nfe: 3,
  denoise: (x, _, condition) => x.map((v, i) => v * condition[i]!),
  pullback: async (x, _, condition) => ({
    denoised: x.map((v, i) => v * condition[i]!),
    vjp: async (cotangent) => ({ x: cotangent.map((c, i) => c * condition[i]!), condition: cotangent.map((c, i) => c * x[i]!) }),
  }),
});

describe('a denoiser', () => {
  it('is no plain function, to the compiler and when it runs', () => {
    const plain = async (x: Float64Array, _: NoiseLevels): Promise<Float64Array> => x;
    expectTypeOf(plain).not.toExtend<Denoiser<Float64Array>>();
    // A wrapper that forgets what it wraps is one too.
    expectTypeOf((x: Float64Array, level: NoiseLevels) => squared(x, level)).not.toExtend<Denoiser<Float64Array>>();
    expectTypeOf((x: Float64Array, level: NoiseLevels, c: Float64Array) => product(x, level, c)).not.toExtend<
      ConditionalDenoiser<Float64Array, Float64Array>
    >();
    for (const value of [plain, null, {}, 3, Object.assign(plain, { nfe: 2 })])
      expect(() => checkDenoiser('samplers/mine', value)).toThrow(/^\[samplers\/mine\] this is no denoiser: .*defineDenoiser\(\{ nfe: 1/u);
    expect(() => deriveDenoiser(plain as never, {})).toThrow(UserError);
    expect(() => checkDenoiser('samplers/mine', squared)).not.toThrow();
  });

  it('says how many evaluations a call takes, of itself or at a level', () => {
    expect(squared.nfe(at)).toBe(2);
    expect(squared.nfe(sigmaLevel(1))).toBe(1);
    for (const nfe of [-1, Number.NaN, undefined, '2'])
      expect(() => defineDenoiser({ nfe: nfe as number, denoise: (x: Float64Array) => x })).toThrow(/nfe=/u);
    expect(() => defineDenoiser({ nfe: () => -1, denoise: (x: Float64Array) => x }).nfe(at)).toThrow('nfe=-1');
    expect(() => defineDenoiser({ nfe: 1 } as never)).toThrow('nothing to evaluate');
  });

  it('turns what its function throws into a rejection', async () => {
    const failing = defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: () => {
        throw new Error('no');
      },
    });
    await expect(failing(of(1), at)).rejects.toThrow('no');
  });
});

describe('a derived denoiser', () => {
  const doubled = deriveDenoiser(squared, {
    level: () => sigmaLevel(0.5),
    input: (x) => x.map((v) => 3 * v),
    output: (prediction) => prediction.map((v) => v + 1),
    transposed: { input: (c) => c.map((v) => 3 * v), output: (c) => c },
  });

  it('counts like its base, where the base is asked, and has all its parts', async () => {
    expect(doubled.nfe(at)).toBe(1);
    expect(await doubled.detailed(of(1, 2), at)).toEqual({
      denoised: of(10, 37),
      unconditional: of(-2, -5),
      variance: of(0.25, 0.25),
    });
    expect(await doubled(of(1, 2), at)).toEqual(of(10, 37));
    expect(await deriveDenoiser(squared, { variance: 'dropped' }).detailed(of(3), at)).toEqual({ denoised: of(9), unconditional: of(-3) });
  });

  it('keeps the gradient through transposes, and has none where one is missing', async () => {
    const { vjp, denoised } = await requirePullback('guidance/mine', doubled)(of(1, 2), at);
    expect(denoised).toEqual(of(10, 37));
    expect((await vjp(of(1, 1))).x).toEqual(of(18, 36));
    expect(deriveDenoiser(squared, {}).pullback).toBeDefined();
    const without = deriveDenoiser(squared, { output: (prediction) => prediction });
    expect(without.pullback).toBeUndefined();
    expect(() => requirePullback('guidance/mine', without)).toThrow(
      /^\[guidance\/mine\] the rule follows a gradient .*pullback=undefined/u,
    );
  });

  it('of several counts them all and shows each part', async () => {
    const guided = combineDenoisers([squared, doubled, squared], ([a, b, c], { x }) => ({
      denoised: x.map((v, i) => v + a.denoised[i]! + b.denoised[i]! - c.denoised[i]!),
      ...(a.unconditional && { unconditional: a.unconditional }),
    }));
    expect(guided.nfe(at)).toBe(5);
    expect(await guided.detailed(of(1), at)).toEqual({ denoised: of(11), unconditional: of(-1) });
    expect(() => combineDenoisers([], () => ({ denoised: of(0) }))).toThrow('nothing to combine');
  });
});

describe('a denoiser of a condition', () => {
  it('asks under several conditions, one after another where it has no batch of its own', async () => {
    const parts = await product.batch(of(1, 2), at, [of(1, 1), of(5, 7)]);
    expect(parts.map(({ denoised }) => denoised)).toEqual([of(1, 2), of(5, 14)]);
    await expect(product.batch(of(1), at, [])).rejects.toThrow('conditions=');
    await expect(product.batch(of(1), at, undefined as never)).rejects.toThrow(UserError);
  });

  it('bound to a condition is a denoiser with its count and gradient', async () => {
    const bound = bindCondition(product, of(5, 7));
    expectTypeOf(bound).toExtend<Denoiser<Float64Array>>();
    expect(bound.nfe(at)).toBe(3);
    expect(await bound(of(1, 2), at)).toEqual(of(5, 14));
    const { vjp } = await requirePullback('guidance/mine', bound)(of(1, 2), at);
    expect(await vjp(of(1, 1))).toMatchObject({ x: of(5, 7) });
  });

  it('derived from another keeps batches and gradients', async () => {
    const half = deriveConditionalDenoiser(product, {
      output: (prediction) => prediction.map((v) => v / 2),
      transposed: { output: (cotangent) => cotangent.map((v) => v / 2) },
    });
    expect(half.nfe(at)).toBe(3);
    expect((await half.batch(of(4), at, [of(1), of(2)])).map(({ denoised }) => denoised[0])).toEqual([2, 4]);
    const { vjp } = await requirePullback('guidance/mine', half)(of(4), at, of(3));
    expect(await vjp(of(1))).toEqual({ x: of(1.5), condition: of(2) });
  });
});
