import type { NoiseLevel, Sampler, StepInput, StepOutput } from '@langevin/core';
import { transition } from '@langevin/core-schedules';

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
  /** How many jumps the driver's step has made before. */
  readonly jumps: number;
}

/**
 * Noise from a level back up to an earlier one, in one draw, and the steps down again. What a method remembers is of another path, so it
 * starts anew.
 */
export async function jumpBack<T>({ base, input, x, grid, index, jumps }: JumpBackOptions<T>): Promise<StepOutput<T>> {
  const { algebra, noise } = input;
  const [low, high] = [grid.at(-1)!, grid[0]!];
  // On a path, levels that were passed before would give the noise of then again.
  const pass = [input.index, jumps];
  const z = await noise({ from: low, to: high, pass: [...pass, 0] });
  let output: StepOutput<T> = { x: algebra.linear([high.alpha / low.alpha, x], [Math.sqrt(transition(high, low).added), z]), denoised: x };
  let state = base.init<T>();
  for (let i = 0; i + 1 < grid.length; i++) {
    const [from, to] = [grid[i]!, grid[i + 1]!];
    output = await base.step({
      ...input,
      x: output.x,
      from,
      to,
      index: index + i,
      state,
      noise: (interval = { from, to }) => noise({ ...interval, pass: [...pass, 1, ...(interval.pass ?? [])] }),
    });
    state = output.state ?? state;
    await algebra.realize([output.x]);
  }
  return { ...output, state };
}
