import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { shownValue, UserError } from '@langevin/tensor';
import { runFolder, stepOfName } from '@langevin/training';

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A path from outside. @throws UserError when it is no text, or empty: that would be the folder that the program runs in */
export function checkPath(path: unknown): asserts path is string {
  if (typeof path === 'string' && path.trim() !== '' && !path.includes('\0')) return;
  throw new UserError(
    `[pipelines/checkpoint] nothing to load: path=${shownValue(path)}. Give the path of a model's folder, or of a run's.`,
  );
}

/** Whether a folder is that of a training run, or of one of its checkpoints. */
export async function isRunFolder(path: string): Promise<boolean> {
  if (await exists(runFolder(path).checkpoints)) return true;
  return stepOfName(basename(path)) !== undefined && (await exists(join(path, 'state.safetensors')));
}
