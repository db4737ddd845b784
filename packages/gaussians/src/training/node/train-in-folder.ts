import { trainSplats, type TrainSplatsOptions } from '../train.ts';
import type { SplatEvent } from '../run.ts';
import { runInFolder, type RunFolderOptions } from './run-folder.ts';

export interface TrainInFolderOptions extends Omit<TrainSplatsOptions, 'store'>, RunFolderOptions {}

/**
 * {@link trainSplats} with its checkpoints, logs, held-out renders and a report in a folder. Apart from timings.jsonl and the report, a run
 * that was killed and resumed leaves the same bytes as one that was not.
 */
export async function* trainSplatsInFolder(options: TrainInFolderOptions): AsyncGenerator<SplatEvent, void> {
  const { folder, logEvery, keep, ...rest } = options;
  yield* runInFolder((store) => trainSplats({ ...rest, store }), {
    folder,
    name: rest.scene.name,
    steps: rest.steps,
    background: rest.background,
    ...(logEvery !== undefined && { logEvery }),
    ...(keep !== undefined && { keep }),
  });
}
