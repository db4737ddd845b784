import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { shownValue, UserError } from '@langevin/tensor';

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

/** Whether a path is the folder of a training run, or one of its checkpoints. */
export async function isRun(path: string): Promise<boolean> {
  if (await exists(join(path, 'checkpoints'))) return true;
  return stepOfFile(path) !== undefined && (await exists(path));
}

/** The step of a checkpoint of a run by the name of its file; undefined for other names. */
export function stepOfFile(path: string): number | undefined {
  const match = /^step-(\d{8,15})\.safetensors$/u.exec(basename(path));
  return match ? Number(match[1]) : undefined;
}
