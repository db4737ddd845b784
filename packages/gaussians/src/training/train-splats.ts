import { readOptions } from '@langevin/tensor';
import { memoryStore, train, type RunStore, type TrainEvent, type TrainOptions } from '@langevin/training';
import { splatTask, type SplatTaskOptions } from './splat-task.ts';
import type { SplatState } from './state.ts';

/** What a run does beside its task. */
export interface RunOptions extends Partial<Omit<TrainOptions, 'steps'>> {
  /** @default memory, with one checkpoint at the end */
  readonly store?: RunStore;
  /** Steps between checkpoints. @default 1000 */
  readonly checkpointEvery?: number;
}

export interface TrainSplatsOptions extends SplatTaskOptions, RunOptions {}

/**
 * Trains Gaussians on posed photographs: {@link splatTask} in the loop of `@langevin/training`, whose events come. Killed at any moment and
 * resumed from its store, a run ends with the same bytes.
 *
 * @throws UserError when a setting is out of range, the store belongs to another run, or training diverges (the last good checkpoint is
 *   named)
 * @example
 * // not run: trains for minutes, on a scene in a folder
 * const scene = await loadScene('my-scene');
 * for await (const event of trainSplats({ scene, rasterizer: cpuRasterizer(), steps: 1000 })) {
 *   if (event.kind === 'step') console.log(event.step, event.measures?.['psnr']);
 *   if (event.kind === 'done') console.log(event.state.gaussians.count);
 * }
 */
export function trainSplats(options: TrainSplatsOptions): AsyncGenerator<TrainEvent<SplatState>, void> {
  const [run, task] = splitRunOptions(options);
  return train(splatTask(task), run);
}

const RUN_OPTIONS: ReadonlySet<string> = new Set<keyof RunOptions>([
  'store',
  'start',
  'logEvery',
  'checkpointEvery',
  'keep',
  'milestone',
  'evaluateEvery',
  'signal',
  'onAbort',
]);

/** Options of a run and of its task, which are given together. */
export function splitRunOptions<Options extends RunOptions & { readonly steps: number }>(
  options: Options,
): readonly [TrainOptions, Omit<Options, keyof RunOptions>] {
  const given = readOptions('gaussians/training', options);
  const entries = Object.entries(given);
  const run = Object.fromEntries(entries.filter(([name]) => RUN_OPTIONS.has(name))) as RunOptions;
  const task = Object.fromEntries(entries.filter(([name]) => !RUN_OPTIONS.has(name))) as Omit<Options, keyof RunOptions>;
  const { steps } = given;
  const { store } = run;
  const kept = store === undefined ? { store: memoryStore(), keep: 1, checkpointEvery: steps } : { store, checkpointEvery: 1000 };
  return [{ ...kept, ...run, steps }, task];
}
