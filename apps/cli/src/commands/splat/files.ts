import { fileSource, writeFileAtomic } from '@langevin/io/node';
import {
  detectSplatFormat,
  encodeSplats,
  encodeSplats4d,
  encodeSplatScene4d,
  InvalidGaussiansError,
  readSplats,
  readSplatScene4d,
  splatFormatForName,
  type SplatAsset4d,
  type SplatCloud,
  type SplatScene4d,
} from '@langevin/io/splats';
import { UserError } from '@langevin/tensor';
import type { CommandContext } from '../../define-command.ts';
import { stopHere, stoppable } from '../../stopping.ts';

/** What a file of Gaussians holds: a cloud, or assets with their motions and places. */
export type SplatFile = { readonly kind: 'cloud'; readonly cloud: SplatCloud } | { readonly kind: '4d'; readonly scene: SplatScene4d };

/** How a file of Gaussians is read. */
export interface ReadAssetOptions {
  /** What to do with Gaussians that are not numbers. @default 'refuse' */
  readonly invalid?: 'drop' | 'refuse';
}

/**
 * Read a file of Gaussians, known by its content; between its pieces the user can end that.
 *
 * @throws UserError when it is damaged, with advice for the command line, or when the user ends it
 */
export async function readAssetFile(path: string, { invalid = 'refuse' }: ReadAssetOptions, terminal: CommandContext): Promise<SplatFile> {
  const file = await fileSource(path);
  let bytes = 0;
  const source: typeof file = {
    ...file,
    read: async (offset, length) => {
      await stopHere(terminal, () => `bytes of ${file.label} read=${bytes} of ${file.byteLength}`);
      bytes += length;
      return file.read(offset, length);
    },
  };
  try {
    const { splatFormats: formats } = terminal.registries;
    const { name, motion } = await detectSplatFormat(source, { formats });
    if (motion === 'kept') return { kind: '4d', scene: await readSplatScene4d(source, { invalid }) };
    return { kind: 'cloud', cloud: await readSplats(source, { invalid, format: name, formats }) };
  } catch (cause) {
    if (!(cause instanceof InvalidGaussiansError)) throw cause;
    throw new UserError(`${cause.found} Save it again, or leave them out: langevin splat convert ${path} sound.ply --drop-invalid.`, {
      cause,
    });
  } finally {
    await file.close();
  }
}

/**
 * Write what is given in the format of the name's ending, whole or not at all; between its pieces the user can end that.
 *
 * @throws UserError when the format cannot hold it, the disk fails, or the user ends it
 */
export async function writeAssetFile(
  path: string,
  given: SplatFile | { readonly kind: 'asset'; readonly asset: SplatAsset4d },
  terminal: CommandContext,
): Promise<void> {
  const { splatFormats: formats } = terminal.registries;
  const pieces =
    given.kind === 'cloud'
      ? encodeSplats(given.cloud, { format: splatFormatForName(path, { use: 'write', formats }).name, formats })
      : given.kind === 'asset'
        ? [encodeSplats4d(given.asset)]
        : [encodeSplatScene4d(given.scene)];
  await writeFileAtomic(
    path,
    stoppable(pieces, terminal, () => `writing ${JSON.stringify(path)}`),
  );
}
