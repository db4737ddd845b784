import { checkChoice, readOptions } from '@langevin/tensor';
import { checkPath } from '../given.ts';
import type { HostTensor } from '../host-tensor.ts';
import { fileSource } from './file-source.ts';
import { heldSource } from './held-source.ts';
import type { SafetensorsFile } from './safetensors-file.ts';
import { openSafetensorsFile, refusePickle } from './safetensors-file.ts';
import { openSafetensorsIndex } from './safetensors-shards.ts';

export interface OpenSafetensorsOptions {
  /**
   * How long files stay open: until `close()`, or only while tensors are read, so that a reader may be kept for as long as somebody might
   * read. @default 'until-closed'
   */
  readonly handle?: 'until-closed' | 'while-reading';
}

/**
 * Open a `.safetensors` file, or the `.safetensors.index.json` of a sharded one; only headers are read.
 *
 * @throws {UserError} when it cannot be read, is malformed, or is a pickle (`.bin`, `.pt`, `.ckpt`), which is refused
 *   because loading one runs code
 */
export async function openSafetensors(path: string, options: OpenSafetensorsOptions = {}): Promise<SafetensorsFile> {
  checkPath(path, '[io/safetensors]');
  const { handle = 'until-closed' } = readOptions('io/safetensors', options, ['handle']);
  checkChoice('io/safetensors', { handle }, ['until-closed', 'while-reading']);
  const openSource = handle === 'until-closed' ? fileSource : heldSource;
  refusePickle(path);
  return path.endsWith('.json') ? openSafetensorsIndex(path, openSource) : openSafetensorsFile(path, openSource);
}

/** Read every tensor of a file or of the shards that an index names. */
export async function readSafetensors(
  path: string,
): Promise<{ readonly tensors: ReadonlyMap<string, HostTensor>; readonly metadata: Readonly<Record<string, string>> }> {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, HostTensor>();
    for (const name of file.entries.keys()) tensors.set(name, await file.read(name));
    return { tensors, metadata: file.metadata };
  } finally {
    await file.close();
  }
}
