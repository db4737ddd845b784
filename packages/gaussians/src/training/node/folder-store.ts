import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors, removeStaleTemporaries, writeSafetensors } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import type { CheckpointStore } from '../run.ts';

const NAME = /^step-(\d{8,})\.safetensors$/;

/**
 * Checkpoints in a folder, a safetensors file each that appears whole or not at all.
 *
 * @param options.keep how many of the newest stay, >= 1. @default 2
 */
export function folderStore(folder: string, options: { readonly keep?: number } = {}): CheckpointStore {
  const { keep = 2 } = options;
  if (!Number.isSafeInteger(keep) || keep < 1) throw new UserError(`[gaussians/checkpoint] keep=${keep} must be an integer >= 1.`);
  const names = async (): Promise<readonly string[]> => {
    const all = (await readdir(folder)).filter((name) => NAME.test(name));
    return all.sort((a, b) => Number(NAME.exec(a)![1]) - Number(NAME.exec(b)![1]));
  };
  return {
    newest: async () => {
      await mkdir(folder, { recursive: true });
      await removeStaleTemporaries(folder);
      const newest = (await names()).at(-1);
      if (newest === undefined) return undefined;
      const from = join(folder, newest);
      return { stored: await readSafetensors(from), from };
    },
    save: async (step, { tensors, metadata }) => {
      const path = join(folder, `step-${String(step).padStart(8, '0')}.safetensors`);
      await mkdir(folder, { recursive: true });
      await writeSafetensors(path, tensors, { metadata });
      for (const old of (await names()).slice(0, -keep)) await rm(join(folder, old), { force: true });
      return path;
    },
  };
}
