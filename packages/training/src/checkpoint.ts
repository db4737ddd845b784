import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumOf } from '@langevin/io';
import { readJson, readSafetensors, writeFileAtomic, writeSafetensors } from '@langevin/io/node';
import { fromStateDict, toStateDict } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { stepName, stepOfName } from './run-folder.ts';

const FORMAT = 'langevin-training-1';
const STATE_FILE = 'state.safetensors';
const META_FILE = 'state.json';
const TEMPORARY = '.writing-';

const Meta = v.object({
  format: v.literal(FORMAT),
  checksum: v.string(),
  step: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  position: v.object({
    epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  }),
});

/** What a run continues from, tensors apart. */
export interface TrainingPoint {
  /** Steps done. */
  readonly step: number;
  /** Where the data stands. */
  readonly position: { readonly epoch: number; readonly index: number };
}

/** A complete checkpoint in a folder. */
export interface StoredCheckpoint {
  readonly step: number;
  readonly path: string;
}

/** Weights that nothing can be computed with. */
export class NotFiniteError extends UserError {
  /** Name of the first tensor that is not finite. */
  readonly tensor: string;

  constructor(tensor: string, step: number) {
    super(`[training/checkpoint] weights are not finite: tensor=${tensor}, step=${step}. Nothing was written; earlier ones are untouched.`);
    this.tensor = tensor;
  }
}

/**
 * Write a checkpoint: a folder that appears whole or not at all.
 *
 * @returns the folder's path
 * @throws UserError when a tensor is not finite, or the disk is full or not writable; nothing that was there before is lost
 */
export async function writeCheckpoint<State>(folder: string, point: TrainingPoint, state: State): Promise<string> {
  const temporary = join(folder, `${TEMPORARY}${randomUUID()}`);
  const final = join(folder, stepName(point.step));
  const tensors = await toStateDict(state);
  for (const [name, { data }] of tensors)
    if (data instanceof Float32Array && !data.every(Number.isFinite)) throw new NotFiniteError(name, point.step);
  const meta = { format: FORMAT, checksum: checksumOf([placeOf(point)], tensors), step: point.step, position: point.position };
  try {
    await mkdir(temporary, { recursive: true });
    await writeSafetensors(join(temporary, STATE_FILE), tensors);
    await writeFileAtomic(join(temporary, META_FILE), `${JSON.stringify(meta, null, 2)}\n`);
    await rm(final, { recursive: true, force: true });
    await rename(temporary, final);
    await flushFolder(folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    if (error instanceof UserError) throw error;
    throw new UserError(
      `[training/checkpoint] checkpoint cannot be written: step=${point.step}, folder=${folder}, `
        + `${error instanceof Error ? error.message : String(error)}. Earlier checkpoints are untouched; free space or permissions and `
        + 'resume.',
      { cause: error },
    );
  }
  return final;
}

/** The place in the run as text that does not depend on the order of keys. */
function placeOf({ step, position: { epoch, index } }: TrainingPoint): string {
  return `${step}/${epoch}/${index}`;
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Folders of complete checkpoints, by rising step. */
export async function listCheckpoints(folder: string): Promise<readonly StoredCheckpoint[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    // No folder, or a file of that name: no checkpoints either way.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw new UserError(
      `[training/checkpoint] checkpoints cannot be listed: folder=${folder}, code=${error.code}. Check its permissions.`,
      {
        cause: error,
      },
    );
  });
  return names
    .flatMap((name) => {
      const step = stepOfName(name);
      return step === undefined ? [] : [{ step, path: join(folder, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

/** Remove what killed writers left behind. */
export async function removeUnfinished(folder: string): Promise<void> {
  const names = await readdir(folder);
  await Promise.all(
    names.filter((name) => name.startsWith(TEMPORARY)).map((name) => rm(join(folder, name), { recursive: true, force: true })),
  );
}

/**
 * Read a checkpoint into a state of the template's structure.
 *
 * @throws UserError when the folder is damaged or belongs to another model
 */
export async function readCheckpoint<State>(
  path: string,
  template: State,
): Promise<{ readonly point: TrainingPoint; readonly state: State }> {
  const parsed = v.safeParse(Meta, await readJson(join(path, META_FILE)));
  if (!parsed.success) {
    throw new UserError(
      `[training/checkpoint] ${META_FILE} is not valid: path=${path}, ${parsed.issues[0].message}. Remove the folder to resume `
        + 'from an earlier checkpoint.',
    );
  }
  const { tensors } = await readSafetensors(join(path, STATE_FILE));
  const { step, position, checksum } = parsed.output;
  if (checksum !== checksumOf([placeOf({ step, position })], tensors)) {
    throw new UserError(
      `[training/checkpoint] checkpoint is damaged: path=${path}, its content is not what was written. Remove the folder to resume from an `
        + 'earlier checkpoint.',
    );
  }
  return { point: { step, position }, state: fromStateDict(template, tensors, { from: path }) };
}

/**
 * Rename the checkpoints after a step to `step-00000000.aside`: nothing reads or removes them any more.
 *
 * @returns their new paths
 */
export async function setAsideAfter(folder: string, step: number): Promise<readonly string[]> {
  const later = (await listCheckpoints(folder)).filter((checkpoint) => checkpoint.step > step);
  return Promise.all(
    later.map(async ({ path }) => {
      const aside = `${path}.aside`;
      await rm(aside, { recursive: true, force: true });
      await rename(path, aside);
      return aside;
    }),
  );
}

export interface PruneOptions {
  readonly keep: number;
  readonly milestone?: number | undefined;
  /** Step of a checkpoint that stays, however old. */
  readonly spare?: number | undefined;
}

/** Keep the newest `keep` checkpoints and those whose step is a multiple of `milestone`. */
export async function pruneCheckpoints(folder: string, { keep, milestone, spare }: PruneOptions): Promise<void> {
  const all = await listCheckpoints(folder);
  const old = all.slice(0, Math.max(all.length - keep, 0));
  const removable = old.filter(({ step }) => step !== spare && (!milestone || step % milestone !== 0));
  await Promise.all(removable.map(({ path }) => rm(path, { recursive: true, force: true })));
}
