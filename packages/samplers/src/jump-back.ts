import { transition, type NoiseLevel } from '@langevin/core-schedules';
import type { Sampler, StepInput, StepOutput } from './sampler.ts';

export interface JumpBackOptions<T> {
  /** What takes the steps. */
  readonly base: Pick<Sampler, 'init' | 'step'>;
  /** The step of the driver within which this happens. */
  readonly input: StepInput<T>;
  /** The state at the last level of `grid`. */
  readonly x: T;
  /** From the level that is jumped back to, down to the level of x. */
  readonly grid: readonly NoiseLevel[];
  /** Number of the first step of `grid` among those of the run. */
  readonly index: number;
}

/** Noise from a level back up to an earlier one, in one draw, and the steps down again. What a method remembers is of another path, so it starts anew. */
export async function jumpBack<T>({ base, input, x, grid, index }: JumpBackOptions<T>): Promise<StepOutput<T>> {
  const { algebra, noise } = input;
  const [low, high] = [grid.at(-1)!, grid[0]!];
  const z = await noise({ from: low, to: high });
  let output: StepOutput<T> = { x: algebra.linear([high.alpha / low.alpha, x], [Math.sqrt(transition(high, low).added), z]), denoised: x };
  let state = base.init<T>();
  for (let i = 0; i + 1 < grid.length; i++) {
    output = await base.step({ ...input, x: output.x, from: grid[i]!, to: grid[i + 1]!, index: index + i, state });
    state = output.state ?? state;
    await algebra.realize([output.x]);
  }
  return { ...output, state };
}
