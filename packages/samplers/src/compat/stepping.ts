import type { DetailedPrediction, DetailPart, NoiseLevels, Sampler, StepInput, StepOutput } from '@langevin/core';

/** What a step wants to know before it goes on. */
export interface Question<T> {
  readonly x: T;
  readonly at: NoiseLevels;
  /** Present when more than the x0-prediction is asked for. */
  readonly part?: DetailPart;
}

/** A step either asks or has ended. */
export type Turn<T> = { readonly question: Question<T> } | { readonly output: StepOutput<T> };

/** A step of a sampler that is under way. */
export interface Conversation<T> {
  /** The first question; a step that asks nothing has ended. */
  readonly begin: () => Promise<Turn<T>>;
  /** Answers the open question and resolves to the next turn. */
  readonly answer: (prediction: DetailedPrediction<T>) => Promise<Turn<T>>;
}

/**
 * A sampler's step with control turned inside out: where the sampler calls its denoiser, the caller is asked instead and the step
 * waits for the answer, so that whoever owns the loop owns the network as well.
 *
 * @example
 * const levels = sigmaLevels([1, 0.5]);
 * const noise = () => Promise.reject(new Error('a deterministic sampler draws none'));
 * const step = converse(euler(), {
 *   x: Float64Array.of(1),
 *   from: levels[0]!,
 *   to: levels[1]!,
 *   index: 0,
 *   levels,
 *   noise,
 *   algebra: arrayAlgebra(),
 *   state: emptyState<Float64Array>(),
 * });
 * let turn = await step.begin();
 * while ('question' in turn) turn = await step.answer({ denoised: Float64Array.of(0) }); // what a network says of turn.question
 * turn.output.x; // => Float64Array [0.5]
 */
export function converse<T>(sampler: Sampler, given: Omit<StepInput<T>, 'denoise' | 'detail'>): Conversation<T> {
  let next = pending<Turn<T>>();
  let reply = pending<DetailedPrediction<T>>();
  const ask = (question: Question<T>): Promise<DetailedPrediction<T>> => {
    reply = pending();
    next.resolve({ question });
    return reply.promise;
  };
  return {
    begin: () => {
      sampler
        .step<T>({
          ...given,
          denoise: async (x, at) => (await ask({ x, at })).denoised,
          detail: async <Part extends DetailPart>(part: Part, x: T, at: NoiseLevels) =>
            (await ask({ x, at, part })) as DetailedPrediction<T> & { readonly [P in Part]: T },
        })
        .then(
          (output) => next.resolve({ output }),
          (error: unknown) => next.reject(error),
        );
      return next.promise;
    },
    answer: (prediction) => {
      next = pending();
      reply.resolve(prediction);
      return next.promise;
    },
  };
}

interface Pending<V> {
  readonly promise: Promise<V>;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/** Promise.withResolvers, which Node 20 lacks. */
function pending<V>(): Pending<V> {
  let resolve!: (value: V) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<V>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
