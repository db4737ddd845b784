import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { UserError } from '@langevin/tensor';
import type { CheckpointFiles } from '../checkpoint/files.ts';
import { folderFiles } from '../checkpoint/folder-files.ts';
import { hubFiles } from '../checkpoint/hub/hub-files.ts';
import { parseHubId } from '../checkpoint/hub/hub-id.ts';
import type { HubOptions } from '../checkpoint/hub/hub-options.ts';
import { mappedTensors } from '../weights.ts';
import type { AdapterFile } from './open-adapter.ts';

const WHERE = 'pipelines/adapters';

/** The file of a path, or the files of a folder or of a model on a hub. */
export async function namedAdapter(given: string, hub: HubOptions | undefined): Promise<AdapterFile | CheckpointFiles> {
  const there = await stat(given).catch(() => undefined);
  if (there?.isFile() === true) return { from: given, ...(await mappedTensors(given)) };
  if (there === undefined && (isAbsolute(given) || parseHubId(given) === undefined))
    throw new UserError(`[${WHERE}] nothing is there: path=${given}. Give a .safetensors file, its folder, or the id of a model.`);
  return there === undefined ? hubFiles(given, hub) : folderFiles(given);
}
