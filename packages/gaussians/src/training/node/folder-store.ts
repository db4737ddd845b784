import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumOf, type HostTensor } from '@langevin/io';
import { readSafetensors, removeStaleTemporaries, writeSafetensors } from '@langevin/io/node';
import { checkNumber, UserError } from '@langevin/tensor';
import { plannedBefore } from '../config.ts';
import type { CheckpointStore } from '../run.ts';

const CHECKSUM = 'checksum';
const NAME = /^step-(\d{8,})\.safetensors$/;

/**
 * Checkpoints in a folder, a safetensors file each that appears whole or not at all.
 *
 * @param options.keep how many of the newest stay, >= 1. @default 2
 */
export function folderStore(folder: string, options: { readonly keep?: number } = {}): CheckpointStore {
  const { keep = 2 } = options;
  checkNumber('gaussians/checkpoint', { keep }, { atLeast: 1, kind: 'integer' });
  const names = async (): Promise<readonly string[]> => {
    const all = (await readdir(folder)).filter((name) => NAME.test(name));
    return all.sort((a, b) => Number(NAME.exec(a)![1]) - Number(NAME.exec(b)![1]));
  };
  return {
    newest: async () => {
      await mkdir(folder, { recursive: true });
      await removeStaleTemporaries(folder);
      const paths = (await names()).map((name) => join(folder, name)).reverse();
      const [from, ...before] = paths;
      if (from === undefined) return undefined;
      return {
        from,
        stored: await readChecked(from).catch(async (error: unknown) => {
          if (!(error instanceof UserError)) throw error;
          throw new UserError(
            `[gaussians/checkpoint] newest checkpoint is damaged: ${JSON.stringify(from)}. ${await instead(from, before)}`,
            { cause: error },
          );
        }),
      };
    },
    save: async (step, { tensors, metadata }) => {
      const path = join(folder, `step-${String(step).padStart(8, '0')}.safetensors`);
      await mkdir(folder, { recursive: true });
      await writeSafetensors(path, tensors, { metadata: { ...metadata, [CHECKSUM]: checksum(tensors, metadata) } });
      for (const old of (await names()).slice(0, -keep)) await rm(join(folder, old), { force: true });
      return path;
    },
  };
}

type Texts = Readonly<Record<string, string>>;

function checksum(tensors: ReadonlyMap<string, HostTensor>, { [CHECKSUM]: _, ...metadata }: Texts): string {
  return checksumOf([JSON.stringify(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))], tensors);
}

/** A checkpoint as it was written: one changed bit would spoil the run without a word. @throws UserError when it is damaged */
async function readChecked(path: string): Promise<{ readonly tensors: ReadonlyMap<string, HostTensor>; readonly metadata: Texts }> {
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata[CHECKSUM] === checksum(tensors, metadata)) return { tensors, metadata };
  throw new UserError(`[gaussians/checkpoint] content is not what was written: ${JSON.stringify(path)}. Remove the file.`);
}

/** What can be done about a damaged checkpoint: the one before it is as good a place to go on from. */
async function instead(damaged: string, before: readonly string[]): Promise<string> {
  for (const [i, path] of before.entries()) {
    const sound = await readChecked(path).then(
      () => true,
      () => false,
    );
    if (sound) {
      const remove = [damaged, ...before.slice(0, i)].map((name) => JSON.stringify(name)).join(' and ');
      return `To go on from the one before it, ${JSON.stringify(path)}, remove ${remove}.`;
    }
  }
  return 'No other one can be read: begin anew in another folder.';
}

/**
 * The steps that the run in a folder was planned for when it was started, over which its rates fall; undefined where none was.
 *
 * @throws UserError when its newest checkpoint is damaged
 * @example
 * // not run: needs the folder of a run
 * await plannedSteps('runs/splat-garden'); // 30000
 */
export async function plannedSteps(folder: string): Promise<number | undefined> {
  const found = await folderStore(join(folder, 'checkpoints')).newest();
  return plannedBefore(found?.stored).decaySteps;
}
