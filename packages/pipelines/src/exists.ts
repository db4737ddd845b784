import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runFolder, stepOfName } from '@langevin/training';

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Whether a folder is that of a training run, or of one of its checkpoints. */
export async function isRunFolder(path: string): Promise<boolean> {
  if (await exists(runFolder(path).checkpoints)) return true;
  return stepOfName(basename(path)) !== undefined && (await exists(join(path, 'state.safetensors')));
}
