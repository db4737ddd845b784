import { trainDynamic, type DynamicEvent, type DynamicTrainingOptions } from '../../dynamic/train.ts';
import { runInFolder, type RunFolderOptions } from './run-folder.ts';

export interface TrainDynamicInFolderOptions<Params> extends Omit<DynamicTrainingOptions<Params>, 'store'>, RunFolderOptions {}

/** {@link trainDynamic} in a folder, as {@link trainSplatsInFolder} keeps it. */
export async function* trainDynamicInFolder<Params>(options: TrainDynamicInFolderOptions<Params>): AsyncGenerator<DynamicEvent, void> {
  const { folder, logEvery, keep, ...rest } = options;
  yield* runInFolder((store) => trainDynamic({ ...rest, store }), {
    folder,
    name: rest.scene.name,
    steps: rest.steps,
    background: rest.background,
    ...(logEvery !== undefined && { logEvery }),
    ...(keep !== undefined && { keep }),
  });
}
