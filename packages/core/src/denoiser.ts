import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import type { NoiseLevels } from './level.ts';

/** An evaluation of which more is known than its x0-prediction. */
export interface DetailedPrediction<T> {
  /** What the denoiser itself returns: under guidance, the guided prediction. */
  readonly denoised: T;
  /** The x0-prediction without condition, of guided denoisers; the CFG++ samplers renoise along it. */
  readonly unconditional?: T;
  /**
   * The network's second output, of networks that learn the variance of a step (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 15), as it
   * is.
   */
  readonly variance?: T;
}

/** An evaluation with its vector-Jacobian product, for rules that follow the gradient of a loss on the x0-prediction. */
export interface Pullback<T, Cotangents extends { readonly x: T } = { readonly x: T }> extends DetailedPrediction<T> {
  /** The cotangents of what the denoiser was given, from one of `denoised`: J^T times it. May be called any number of times. */
  readonly vjp: (cotangent: T) => Promise<Cotangents>;
}

/**
 * The x0-prediction of a noisy state, E[x0 | x] for an ideal model: the one thing that samplers, guidance and distillation see.
 *
 * A denoiser does not care in which units the state is kept: D(c x; c alpha, c sigma) = D(x; alpha, sigma) for c > 0.
 * {@link defineDenoiser} makes one of a function, {@link deriveDenoiser} and {@link combineDenoisers} make one of others, so that what is
 * known of them is kept.
 */
export interface Denoiser<T> {
  (x: T, at: NoiseLevels): Promise<T>;
  /**
   * Network evaluations of one call, for each sample of the batch: guidance that asks twice says 2. Drivers add them up. Backward passes of
   * `pullback` are not evaluations.
   */
  readonly nfe: (at: NoiseLevels) => number;
  /** The prediction with what else the same evaluation gives, for rules that ask for more. Costs what a call costs. */
  readonly detailed: (x: T, at: NoiseLevels) => Promise<DetailedPrediction<T>>;
  /** The prediction with its gradient, where there is one: see {@link requirePullback}. Counts as one call. */
  readonly pullback?: (x: T, at: NoiseLevels) => Promise<Pullback<T>>;
}

/** What an author states of a denoiser: `denoise`, or `detailed` where an evaluation gives more than the x0-prediction. */
export type DenoiserDefinition<T> = {
  /** Network evaluations of one call, >= 0; a function where it depends on the level. */
  readonly nfe: number | Denoiser<T>['nfe'];
  readonly pullback?: NonNullable<Denoiser<T>['pullback']>;
} & (
  | { readonly denoise: (x: T, at: NoiseLevels) => T | Promise<T>; readonly detailed?: never }
  | { readonly denoise?: never; readonly detailed: (x: T, at: NoiseLevels) => DetailedPrediction<T> | Promise<DetailedPrediction<T>> }
);

/**
 * A denoiser from a function, which says how many network evaluations a call takes. A wrapper of other denoisers is made by
 * {@link deriveDenoiser} or {@link combineDenoisers} instead, which know it.
 *
 * @throws UserError when there is no function, or no number of evaluations
 * @example
 * const half = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map((value) => value / 2) });
 * await half(Float64Array.of(3), sigmaLevel(1)); // => [1.5]
 * half.nfe(sigmaLevel(1)); // => 1
 */
export function defineDenoiser<T>(definition: DenoiserDefinition<T>): Denoiser<T> {
  const { pullback } = definition;
  const { nfe, detailed } = checkedDefinition('core/denoiser', definition);
  const call = async (x: T, at: NoiseLevels): Promise<T> => (await detailed(x, at)).denoised;
  return Object.freeze(Object.assign(call, { nfe, detailed, ...(pullback && { pullback }) }));
}

/** What both kinds of denoisers are made of, with a condition (`Rest`) or without. */
export function checkedDefinition<T, Rest extends readonly unknown[]>(
  where: string,
  given: {
    readonly nfe: number | ((at: NoiseLevels) => number);
    readonly denoise?: (x: T, at: NoiseLevels, ...rest: Rest) => T | Promise<T>;
    readonly detailed?: (x: T, at: NoiseLevels, ...rest: Rest) => DetailedPrediction<T> | Promise<DetailedPrediction<T>>;
  },
): {
  readonly nfe: (at: NoiseLevels) => number;
  readonly detailed: (x: T, at: NoiseLevels, ...rest: Rest) => Promise<DetailedPrediction<T>>;
} {
  const { nfe, denoise, detailed } = given;
  const evaluate = detailed ?? denoise;
  if (typeof evaluate !== 'function')
    throw new UserError(
      `[${where}] there is nothing to evaluate: denoise=${shownValue(evaluate)}. Pass the function (x, at) => prediction.`,
    );
  const checked = (count: unknown): number => {
    checkNumber(where, { nfe: count }, { atLeast: 0, advice: 'State how many network evaluations a call takes.' });
    return count as number;
  };
  if (typeof nfe !== 'function') checked(nfe);
  return {
    nfe: typeof nfe === 'function' ? (at) => checked(nfe(at)) : () => nfe,
    detailed:
      detailed === undefined
        ? async (x, at, ...rest) => ({ denoised: await denoise!(x, at, ...rest) })
        : async (x, at, ...rest) => detailed(x, at, ...rest),
  };
}

/** What a derived denoiser was asked. */
export interface Asked<T> {
  readonly x: T;
  readonly at: NoiseLevels;
}

/** How a denoiser differs from the one that it is derived from. What is left out stays as it is. */
export interface Derivation<T> {
  /** The levels at which the base is asked. */
  readonly level?: (at: NoiseLevels) => NoiseLevels;
  /** The state that the base is shown. */
  readonly input?: (x: T, at: NoiseLevels) => T | Promise<T>;
  /** What becomes of an x0-prediction of the base: the guided and the unconditional one alike. */
  readonly output?: (prediction: T, asked: Asked<T>) => T | Promise<T>;
  /** Whether learned variances stay what they are; they say something of each element of x, and `output` may mix those. @default 'kept' */
  readonly variance?: 'kept' | 'dropped';
  /**
   * Transposes of the derivatives of `input` by x and of `output` by the prediction; with one for each of both that is given, the derived
   * denoiser has a pullback. Not for an `output` that looks at `asked.x` too.
   */
  readonly transposed?: {
    readonly input?: (cotangent: T, asked: Asked<T>) => T | Promise<T>;
    readonly output?: (cotangent: T, asked: Asked<T>) => T | Promise<T>;
  };
}

/**
 * A denoiser that asks another one, with the same count of evaluations and all parts of each: clamping, other units, a change of basis, a
 * look at what goes by.
 *
 * @example
 * const guided = defineDenoiser({ nfe: 2, denoise: (x: Float64Array) => x.map((value) => 3 * value) });
 * const clamped = deriveDenoiser(guided, { output: (prediction) => prediction.map((value) => Math.min(1, Math.max(-1, value))) });
 * await clamped(Float64Array.of(0.2, 4), sigmaLevel(1)); // => [0.6, 1]
 * clamped.nfe(sigmaLevel(1)); // => 2
 */
export function deriveDenoiser<T>(base: Denoiser<T>, derivation: Derivation<T>): Denoiser<T> {
  checkDenoiser('core/denoiser', base);
  const { pullback } = base;
  const through = derived(derivation);
  return defineDenoiser({
    nfe: (at) => base.nfe(through.level(at)),
    detailed: async (x, at) => through.part(await base.detailed(await through.input(x, at), through.level(at)), { x, at }),
    ...(pullback
      && through.differentiable && {
        pullback: async (x, at) => through.pull(await pullback(await through.input(x, at), through.level(at)), { x, at }),
      }),
  });
}

/** A derivation with everything that it leaves out. */
export function derived<T>({ level = (at) => at, input, output, variance = 'kept', transposed = {} }: Derivation<T>): {
  readonly level: (at: NoiseLevels) => NoiseLevels;
  readonly input: (x: T, at: NoiseLevels) => T | Promise<T>;
  readonly differentiable: boolean;
  readonly part: (of: DetailedPrediction<T>, asked: Asked<T>) => Promise<DetailedPrediction<T>>;
  readonly pull: <Cotangents extends { readonly x: T }>(
    of: Pullback<T, Cotangents>,
    asked: Asked<T>,
  ) => Promise<Pullback<T, Omit<Cotangents, 'x'> & { readonly x: T }>>;
} {
  const part = async (of: DetailedPrediction<T>, asked: Asked<T>): Promise<DetailedPrediction<T>> => ({
    denoised: output === undefined ? of.denoised : await output(of.denoised, asked),
    ...(of.unconditional !== undefined && {
      unconditional: output === undefined ? of.unconditional : await output(of.unconditional, asked),
    }),
    ...(of.variance !== undefined && variance === 'kept' && { variance: of.variance }),
  });
  return {
    level,
    input: input ?? ((x) => x),
    differentiable: (input === undefined || transposed.input !== undefined) && (output === undefined || transposed.output !== undefined),
    part,
    pull: async (of, asked) => ({
      ...(await part(of, asked)),
      vjp: async (cotangent) => {
        const pulled = await of.vjp(transposed.output === undefined ? cotangent : await transposed.output(cotangent, asked));
        return { ...pulled, x: transposed.input === undefined ? pulled.x : await transposed.input(pulled.x, asked) };
      },
    }),
  };
}

/**
 * A denoiser that asks several and makes one prediction of theirs, such as guidance by another network; evaluations add up.
 *
 * @param combine the prediction, of what each denoiser says in order; `unconditional` and `variance` are those that it returns
 * @example
 * const [sharp, weak] = [2, 1].map((gain) => defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map((value) => gain * value) }));
 * // Autoguidance (Karras et al. 2024, arXiv:2406.02507, eq. 3) of weight 3.
 * const guided = combineDenoisers([sharp!, weak!], ([{ denoised: a }, { denoised: b }]) => ({
 *   denoised: a.map((value, i) => 3 * value - 2 * b[i]!),
 * }));
 * await guided(Float64Array.of(1), sigmaLevel(1)); // => [4]
 * guided.nfe(sigmaLevel(1)); // => 2
 */
export function combineDenoisers<T, const Denoisers extends readonly Denoiser<T>[]>(
  denoisers: Denoisers & readonly Denoiser<T>[],
  combine: (
    parts: { readonly [K in keyof Denoisers]: DetailedPrediction<T> },
    asked: Asked<T>,
  ) => DetailedPrediction<T> | Promise<DetailedPrediction<T>>,
): Denoiser<T> {
  if (!Array.isArray(denoisers) || denoisers.length === 0)
    throw new UserError(`[core/denoiser] there is nothing to combine: denoisers=${shownValue(denoisers)}. Pass a list of denoisers.`);
  const all: readonly Denoiser<T>[] = [...denoisers];
  all.forEach((denoiser) => checkDenoiser('core/denoiser', denoiser));
  return defineDenoiser({
    nfe: (at) => all.reduce((sum, { nfe }) => sum + nfe(at), 0),
    detailed: async (x, at) => {
      const parts: DetailedPrediction<T>[] = [];
      for (const { detailed } of all) parts.push(await detailed(x, at));
      return combine(parts as unknown as { readonly [K in keyof Denoisers]: DetailedPrediction<T> }, { x, at });
    },
  });
}

/** Throws a UserError unless the value is a denoiser: a plain function does not say how many evaluations it takes. */
export function checkDenoiser(where: string, denoise: unknown): void {
  const known = typeof denoise === 'function' && 'nfe' in denoise && 'detailed' in denoise;
  if (known && typeof denoise.nfe === 'function' && typeof denoise.detailed === 'function') return;
  throw new UserError(
    `[${where}] this is no denoiser: denoise=${typeof denoise === 'function' ? 'a plain function' : shownValue(denoise)}. Make one of a `
      + 'function (x, at) => prediction by defineDenoiser({ nfe: 1, denoise }), and one of another denoiser by deriveDenoiser().',
  );
}

/**
 * The pullback of a denoiser, for rules that cannot do without: guidance by a loss or a classifier, inversion, rewards.
 *
 * @param where "package/rule", as errors begin
 * @throws UserError when the denoiser has none
 * @example
 * const half = defineDenoiser({
 *   nfe: 1,
 *   denoise: (x: Float64Array) => x.map((value) => value / 2),
 *   pullback: async (x) => ({
 *     denoised: x.map((value) => value / 2),
 *     vjp: async (cotangent) => ({ x: cotangent.map((value) => value / 2) }),
 *   }),
 * });
 * const { vjp } = await requirePullback('guidance/mine', half)(Float64Array.of(3), sigmaLevel(1));
 * (await vjp(Float64Array.of(1))).x; // => [0.5]
 */
export function requirePullback<P>(where: string, denoiser: { readonly pullback?: P }): P {
  if (denoiser.pullback !== undefined) return denoiser.pullback;
  throw new UserError(
    `[${where}] the rule follows a gradient through the denoiser, which gives none: pullback=undefined. Pass one that has it: of a network `
      + '(networkDenoiser() of @langevin/diffusion), in closed form, or derived with the transposes of its changes.',
  );
}
