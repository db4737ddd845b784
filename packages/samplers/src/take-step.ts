import type { Algebra, Denoiser, NoiseLevel, NoiseSource, Sampler, SamplerState, StepOutput } from '@langevin/core';
import { shownValue, UserError } from '@langevin/tensor';
import { isObject } from './check-option.ts';
import { checkState } from './check-run.ts';
import { evaluations } from './evaluations.ts';
import { checkEnd } from './finite.ts';

/** What one step of a run needs; the state of the run itself is passed and returned. */
export interface StepRequest<T> {
  readonly sampler: Sampler;
  readonly denoise: Denoiser<T>;
  readonly algebra: Algebra<T>;
  readonly levels: readonly NoiseLevel[];
  readonly noise: NoiseSource | undefined;
  readonly signal: AbortSignal | undefined;
  /** Whether each prediction is looked at for NaN and Infinity, beyond what its form shows. */
  readonly watched: boolean;
  /** Told how many network evaluations each call took. */
  readonly count: (evaluations: number) => void;
  /** The step from levels[index] to levels[index + 1]. */
  readonly index: number;
  readonly x: T;
  readonly state: SamplerState<T>;
  /** Behind "step 3 of 18 of heun", in messages. @default '' */
  readonly direction?: string;
}

/** One step of a sampler, with everything that it is given and gives looked at, and realised. */
export async function takeStep<T>(request: StepRequest<T>): Promise<Required<StepOutput<T>>> {
  const { sampler, algebra, levels, noise, index, x, state: before, watched, direction = '' } = request;
  const steps = levels.length - 1;
  const [from, to] = [levels[index]!, levels[index + 1]!];
  const here = `step ${index + 1} of ${steps} of ${sampler.name}${direction}`;
  let draws = 0;
  const output = await sampler.step<T>({
    x,
    from,
    to,
    index,
    levels,
    algebra,
    state: before,
    ...evaluations({ ...request, here }),
    noisePath: noise?.path ?? false,
    noise: async (interval = { from, to }) => {
      if (!sampler.stochastic || noise === undefined) {
        throw new UserError(
          `[samplers/${sampler.name}] a sampler that declares stochastic: false drew noise at ${here}. Declare it stochastic.`,
        );
      }
      const z = await noise.draw({ algebra, like: x, step: index, draw: draws++, interval });
      const remedy = 'Let the source return finite noise in the form of `like`.';
      checkState(algebra, `the noise of ${noise.name} at ${here}`, { value: z, like: x, remedy });
      return z;
    },
  });
  checkOutput(output, { sampler, algebra, x, here });
  const { x: next, denoised, state = before } = output;
  await algebra.realize([next, denoised, ...statesOf(state)]);
  if (index + 1 === steps) await checkEnd(algebra, next, { here, watched });
  return { x: next, denoised, state };
}

/** Throws unless a step gave a state and a prediction in the form of the state that it was given. */
function checkOutput<T>(
  output: StepOutput<T>,
  { sampler, algebra, x, here }: { readonly sampler: Sampler; readonly algebra: Algebra<T>; readonly x: T; readonly here: string },
): void {
  const wrong = isObject(output) ? (algebra.complaint(output.x, x) ?? algebra.complaint(output.denoised, x)) : shownValue(output);
  if (wrong === undefined) return;
  throw new UserError(
    `[samplers/${sampler.name}] the step has not given { x, denoised } in the form of x at ${here}: ${wrong}. Where the denoiser and the `
      + 'noise are right, the rule of the sampler is not.',
  );
}

function statesOf<T>({ history, values }: SamplerState<T>): readonly T[] {
  return [...history.flatMap(({ x, denoised }) => [x, denoised]), ...Object.values(values)];
}
