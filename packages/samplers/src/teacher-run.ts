import type { NoiseLevel, RunOptions } from '@langevin/core';
import type { FloatArray, TeacherPoint } from '@langevin/core-schedules';
import { readOptions } from '@langevin/tensor';
import { checkRun } from './check-run.ts';
import { checkLevels } from './levels.ts';
import { plainAlgebra, trajectory } from './trajectory.ts';
import { euler } from './solvers/euler.ts';

/** What a run of Euler steps needs; `x` is a batch of some images at levels[0]. */
export type TeacherRunOptions<T> = Pick<RunOptions<T>, 'denoise' | 'x' | 'levels' | 'algebra' | 'signal'>;

/**
 * A fine run of Euler steps on a model, as what it was shown and what it said at each level: the `teacher` from which gits() of
 * @langevin/core-schedules computes the levels that few steps should visit. The authors take 60 steps of karras levels and 256 images.
 * States come to the host.
 *
 * @throws UserError for levels that are no grid, or begin at pure noise
 * @example
 * const denoise = threeModes().denoiser<Float64Array>();
 * const levels = karras({ sigmaMin: 0.1, sigmaMax: 10 }).levels(edm(), { steps: 40, end: 'floor' });
 * const teacher = await teacherRun({ denoise, x: Float64Array.of(7, -3), levels });
 * gits({ teacher }).levels(edm(), { steps: 5, end: 'floor' }).length; // => 6
 */
export async function teacherRun<T>(given: TeacherRunOptions<T>): Promise<readonly TeacherPoint[]> {
  const { denoise, x, levels, signal, ...options } = checkRun({ sampler: euler(), ...readOptions('samplers/teacher-run', given) });
  checkLevels(levels);
  const algebra = options.algebra ?? plainAlgebra(x);
  const points: TeacherPoint[] = [];
  const point = async (at: NoiseLevel, state: T, denoised: T): Promise<void> => {
    const [shown, said]: FloatArray[] = await Promise.all([algebra.toHost(state), algebra.toHost(denoised)]);
    points.push({ at, x: shown!, denoised: said! });
  };
  let [state, at] = [x, levels[0]!];
  for await (const step of trajectory<T>({ sampler: euler(), denoise, x, levels, algebra, ...(signal && { signal }) })) {
    await point(at, state, step.denoised);
    [state, at] = [step.x, step.at];
  }
  // Nothing is asked of the model at the last level, which no step begins from.
  await point(at, state, at.sigma === 0 ? state : await denoise(state, at));
  return points;
}
