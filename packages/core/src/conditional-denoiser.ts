import { shownValue, UserError } from '@langevin/tensor';
import {
  checkedDefinition,
  defineDenoiser,
  derived,
  type Denoiser,
  type Derivation,
  type DetailedPrediction,
  type Pullback,
} from './denoiser.ts';
import type { NoiseLevels } from './level.ts';

/**
 * A denoiser that is told something: E[x0 | x, condition]. Guidance asks it under several conditions, inversion and rewards for its
 * gradient. C holds what one batch is told, with something for each item: `Conditions` over tensors.
 */
export interface ConditionalDenoiser<T, C> {
  (x: T, at: NoiseLevels, condition: C): Promise<T>;
  /** Network evaluations of one call; a batch of n conditions counts n times that. */
  readonly nfe: (at: NoiseLevels) => number;
  readonly detailed: (x: T, at: NoiseLevels, condition: C) => Promise<DetailedPrediction<T>>;
  /** The state under each of several conditions, at least one, in their order: in one batch where the denoiser can. */
  readonly batch: (x: T, at: NoiseLevels, conditions: readonly C[]) => Promise<readonly DetailedPrediction<T>[]>;
  /** The prediction with its gradient by state and condition, where there is one. Parts without gradient, such as labels, get zeros. */
  readonly pullback?: (x: T, at: NoiseLevels, condition: C) => Promise<Pullback<T, { readonly x: T; readonly condition: C }>>;
}

/** What an author states of a denoiser of a condition. */
export type ConditionalDenoiserDefinition<T, C> = {
  /** Network evaluations of one call, >= 0; a function where it depends on the level. */
  readonly nfe: number | ((at: NoiseLevels) => number);
  /** @default one condition after another */
  readonly batch?: ConditionalDenoiser<T, C>['batch'];
  readonly pullback?: NonNullable<ConditionalDenoiser<T, C>['pullback']>;
} & (
  | { readonly denoise: (x: T, at: NoiseLevels, condition: C) => T | Promise<T>; readonly detailed?: never }
  | {
      readonly denoise?: never;
      readonly detailed: (x: T, at: NoiseLevels, condition: C) => DetailedPrediction<T> | Promise<DetailedPrediction<T>>;
    }
);

/**
 * A denoiser of a condition from a function.
 *
 * @throws UserError when there is no function, or no number of evaluations; from `batch`, without a condition
 * @example
 * // Data at the condition itself: nothing is left to denoise.
 * const point = defineConditionalDenoiser({ nfe: 1, denoise: (_x: Float64Array, _at, condition: Float64Array) => condition });
 * const parts = await point.batch(Float64Array.of(0), sigmaLevel(1), [Float64Array.of(1), Float64Array.of(2)]);
 * parts.map(({ denoised }) => denoised[0]); // => [1, 2]
 */
export function defineConditionalDenoiser<T, C>(definition: ConditionalDenoiserDefinition<T, C>): ConditionalDenoiser<T, C> {
  const { pullback, batch } = definition;
  const { nfe, detailed } = checkedDefinition<T, readonly [condition: C]>('core/conditional-denoiser', definition);
  const oneByOne = async (x: T, at: NoiseLevels, conditions: readonly C[]): Promise<readonly DetailedPrediction<T>[]> => {
    const parts: DetailedPrediction<T>[] = [];
    for (const condition of conditions) parts.push(await detailed(x, at, condition));
    return parts;
  };
  const call = async (x: T, at: NoiseLevels, condition: C): Promise<T> => (await detailed(x, at, condition)).denoised;
  return Object.freeze(
    Object.assign(call, {
      nfe,
      detailed,
      batch: async (x: T, at: NoiseLevels, conditions: readonly C[]) => {
        if (!Array.isArray(conditions) || conditions.length === 0)
          throw new UserError(
            `[core/conditional-denoiser] a batch is of some conditions: conditions=${shownValue(conditions)}. Pass a list of at least one.`,
          );
        return (batch ?? oneByOne)(x, at, conditions);
      },
      ...(pullback && { pullback }),
    }),
  );
}

/**
 * The denoiser under one condition, with all that it knows.
 *
 * @example
 * const point = defineConditionalDenoiser({ nfe: 1, denoise: (_x: Float64Array, _at, condition: Float64Array) => condition });
 * await bindCondition(point, Float64Array.of(3))(Float64Array.of(0), sigmaLevel(1)); // => [3]
 */
export function bindCondition<T, C>(denoiser: ConditionalDenoiser<T, C>, condition: C): Denoiser<T> {
  const { nfe, detailed, pullback } = denoiser;
  return defineDenoiser({
    nfe,
    detailed: (x, at) => detailed(x, at, condition),
    ...(pullback && { pullback: (x: T, at: NoiseLevels) => pullback(x, at, condition) }),
  });
}

/** A denoiser of a condition that asks another one, as {@link deriveDenoiser} has it: with its batches, counts, parts and gradients. */
export function deriveConditionalDenoiser<T, C>(base: ConditionalDenoiser<T, C>, derivation: Derivation<T>): ConditionalDenoiser<T, C> {
  const { pullback } = base;
  const through = derived(derivation);
  return defineConditionalDenoiser<T, C>({
    nfe: (at) => base.nfe(through.level(at)),
    detailed: async (x, at, condition) =>
      through.part(await base.detailed(await through.input(x, at), through.level(at), condition), { x, at }),
    batch: async (x, at, conditions) => {
      const parts = await base.batch(await through.input(x, at), through.level(at), conditions);
      return Promise.all(parts.map((part) => through.part(part, { x, at })));
    },
    ...(pullback
      && through.differentiable && {
        pullback: async (x: T, at: NoiseLevels, condition: C) =>
          through.pull(await pullback(await through.input(x, at), through.level(at), condition), { x, at }),
      }),
  });
}
