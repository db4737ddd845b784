import { cp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { exists } from '../exists.ts';
import { folderOf, loadAutoencoderFolder, type LoadAutoencoderOptions, type LoadedAutoencoder } from './autoencoder-folder.ts';

/** In the folder of a run over latents: the autoencoder whose they are, since its own folder may move. */
const KEPT = 'autoencoder';

/**
 * Copies an autoencoder into the folder of the run that diffuses over its latents, unless one is there.
 *
 * @throws UserError when the disk fails, or another autoencoder is there
 */
export async function keepAutoencoder(run: string, { from, sha256 }: { readonly from: string; readonly sha256: string }): Promise<void> {
  const target = join(run, KEPT);
  if (await exists(join(target, 'config.json'))) {
    const kept = await loadAutoencoderFolder(target);
    if (kept.sha256 === sha256) return;
    throw new UserError(
      `[pipelines/autoencoder] run has another autoencoder: folder=${run}, latents.autoencoder=${from}. `
        + 'Train in another folder, or give the one that the run began with.',
    );
  }
  await makeFolder(dirname(target));
  const making = `${target}.${process.pid}.tmp`;
  try {
    await cp(await folderOf(from), making, { recursive: true });
    await rename(making, target);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** The autoencoder that a run over latents keeps. @throws UserError when it is missing or damaged */
export function keptAutoencoder(run: string, options: LoadAutoencoderOptions): Promise<LoadedAutoencoder> {
  return loadAutoencoderFolder(join(run, KEPT), options);
}
