import {
  defineDenoiser,
  isLevelList,
  type Asked,
  type Coefficient,
  type ConditionalDenoiser,
  type Denoiser,
  type DetailedPrediction,
  type NoiseLevel,
  type NoiseLevels,
  type Pullback,
  type Term,
} from '@langevin/core';
import type { GuidanceInput } from './guidance.ts';

/** One condition of a sum, and its weight at a level. A condition whose weight is 0 is not asked. */
export interface WeightedCondition<C> {
  readonly condition: C;
  readonly weight: (at: NoiseLevel) => number;
}

export interface WeightedOptions<T, C> extends Pick<GuidanceInput<T, C>, 'denoiser' | 'algebra'> {
  /** The first is the one that samples follow: variances are learned ones of it. */
  readonly terms: readonly WeightedCondition<C>[];
  /** Weight of the state itself in the sum. @default none */
  readonly state?: (at: NoiseLevel) => number;
  /** Which of the terms stands for no condition: its prediction is the unconditional one of samplers that renoise along it. */
  readonly none?: number;
  /** Which evaluations are made: those that have weight somewhere, or all. @default 'weighted' */
  readonly asked?: 'weighted' | 'all';
  /** What becomes of the sum, with the prediction under the first condition beside it. @default as it is; gradients only then */
  readonly after?: (sum: T, conditional: T, asked: Asked<T>) => T | Promise<T>;
}

/**
 * The denoiser that is a weighted sum of a model's predictions under several conditions, all in one batch: what guidance by conditions
 * comes to. It has a pullback where the model has one, as the sum is linear.
 */
export function weightedDenoiser<T, C>(options: WeightedOptions<T, C>): Denoiser<T> {
  const { denoiser, algebra, terms, state, after } = options;
  const active = (at: NoiseLevels): readonly number[] => activeTerms(options, at);
  /** The sum over what was asked; one prediction of weight 1 is itself, to the last bit. */
  const sum = (parts: ReadonlyMap<number, T>, { x, at }: Asked<T>): T => {
    const pairs = [...parts].map(([i, value]): Term<T> => [coefficients(terms[i]!.weight, at), value]);
    const all: readonly Term<T>[] = state === undefined ? pairs : [...pairs, [coefficients(state, at), x]];
    const kept = all.filter(([weight]) => !isAll(weight, 0));
    const [only] = kept;
    return kept.length === 1 && isAll(only![0], 1) ? only![1] : algebra.linear(...(kept.length === 0 ? all : kept));
  };
  const result = async (parts: ReadonlyMap<number, DetailedPrediction<T>>, asked: Asked<T>): Promise<DetailedPrediction<T>> => {
    const first = parts.get(0);
    const none = options.none === undefined ? undefined : parts.get(options.none);
    const plain = sum(new Map([...parts].map(([i, { denoised }]) => [i, denoised])), asked);
    return {
      denoised: after === undefined || first === undefined ? plain : await after(plain, first.denoised, asked),
      ...(none !== undefined && { unconditional: none.denoised }),
      ...(first?.variance !== undefined && { variance: first.variance }),
    };
  };
  const { pullback } = denoiser;
  return defineDenoiser<T>({
    nfe: (at) => active(at).length * denoiser.nfe(at),
    detailed: async (x, at) => {
      const numbers = active(at);
      const parts = await denoiser.batch(
        x,
        at,
        numbers.map((i) => terms[i]!.condition),
      );
      return result(new Map(numbers.map((i, k) => [i, parts[k]!])), { x, at });
    },
    ...(pullback && after === undefined && { pullback: async (x: T, at: NoiseLevels) => pulled(pullback, { x, at }) }),
  });

  async function pulled(pull: NonNullable<ConditionalDenoiser<T, C>['pullback']>, asked: Asked<T>): Promise<Pullback<T>> {
    const { x, at } = asked;
    const parts = new Map<number, Pullback<T, { readonly x: T; readonly condition: C }>>();
    for (const i of active(at)) parts.set(i, await pull(x, at, terms[i]!.condition));
    return {
      ...(await result(parts, asked)),
      vjp: async (cotangent) => {
        const back: Term<T>[] = [];
        for (const [i, { vjp }] of parts) back.push([coefficients(terms[i]!.weight, at), (await vjp(cotangent)).x]);
        if (state !== undefined) back.push([coefficients(state, at), cotangent]);
        return { x: algebra.linear(...back) };
      },
    };
  }
}

/** Which terms are asked for: those that weigh something for an item of the batch. A model is asked at least once. */
function activeTerms<T, C>({ terms, asked = 'weighted' }: WeightedOptions<T, C>, at: NoiseLevels): readonly number[] {
  const levels: readonly NoiseLevel[] = isLevelList(at) ? at : [at];
  const all = terms.map((_, i) => i);
  const weighted = all.filter((i) => asked === 'all' || levels.some((level) => terms[i]!.weight(level) !== 0));
  return weighted.length === 0 ? [0] : weighted;
}

/** One number for the batch, or one for each item. */
function coefficients(weight: (at: NoiseLevel) => number, at: NoiseLevels): Coefficient {
  return isLevelList(at) ? at.map(weight) : weight(at);
}

function isAll(weight: Coefficient, value: number): boolean {
  return typeof weight === 'number' ? weight === value : weight.every((each) => each === value);
}
