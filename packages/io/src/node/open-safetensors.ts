import { checkPath } from '../given.ts';
import type { HostTensor } from '../host-tensor.ts';
import type { SafetensorsFile } from './safetensors-file.ts';
import { openSafetensorsFile, refusePickle } from './safetensors-file.ts';
import { openSafetensorsIndex } from './safetensors-shards.ts';

/**
 * Open a `.safetensors` file, or the `.safetensors.index.json` of a sharded one; only headers are read.
 *
 * @throws {UserError} when it cannot be read, is malformed, or is a pickle (`.bin`, `.pt`, `.ckpt`), which is refused
 *   because loading one runs code
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  checkPath(path, '[io/safetensors]');
  refusePickle(path);
  return path.endsWith('.json') ? openSafetensorsIndex(path) : openSafetensorsFile(path);
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
