import { stat } from 'node:fs/promises';
import type { Network } from '@langevin/core';
import type { HostTensor } from '@langevin/io';
import { openSafetensors, type FileSlice } from '@langevin/io/node';
import { fromStateDict, shapesOnly, toStateDict } from '@langevin/nn';
import { fromBfloat16Bits, fromFile, fromFloat16Bits, toFloat16Bits, UserError, type HostArray, type Tensor } from '@langevin/tensor';

export type WeightDType = 'float16' | 'float32';

export interface ReadWeightsOptions {
  /** Whose weights they are. */
  readonly network: Network<unknown>;
  /** Of the names in the file that belong to the network: 'average.' in training checkpoints. @default '' all of them */
  readonly prefix?: string;
}

/**
 * A network's weights, in the dtype that the file has them in: they stay in it until an engine maps or reads them, and a file that is
 * replaced before is refused. `inFloat32` of `@langevin/nn` casts them inside of a graph.
 *
 * @throws UserError when the file is malformed, a pickle, or does not fit the network; from what uses the weights, when the file is another
 *   one by then
 */
export async function readWeights(path: string, { network, prefix = '' }: ReadWeightsOptions): Promise<unknown> {
  const file = await openSafetensors(path);
  try {
    const entries = new Map<string, Tensor>();
    const checks = new Map<string, () => Promise<void>>();
    for (const name of file.entries.keys()) {
      if (!name.startsWith(prefix)) continue;
      const slice = file.slice(name);
      if (!checks.has(slice.path)) checks.set(slice.path, await sameFile(slice.path));
      entries.set(name.slice(prefix.length), weightOf(slice, { path, name, check: checks.get(slice.path)! }));
    }
    return fromStateDict(network.init(shapesOnly), entries, { from: path, floats: 'stored' });
  } finally {
    await file.close();
  }
}

/** A check that a file is what it is now. */
async function sameFile(path: string): Promise<() => Promise<void>> {
  const identity = async (): Promise<string> => {
    const { size, mtimeMs, ino } = await stat(path);
    return `${size} ${mtimeMs} ${ino}`;
  };
  const before = await identity();
  return async () => {
    if ((await identity().catch(() => 'gone')) === before) return;
    throw new UserError(`[pipelines/weights] file of the weights was replaced after it was loaded: path=${path}. Load the model again.`);
  };
}

function weightOf(
  { path, offset, byteLength, dtype, shape }: FileSlice,
  { path: opened, name, check }: { readonly path: string; readonly name: string; readonly check: () => Promise<void> },
): Tensor {
  const read = async (): Promise<HostArray> => {
    await check();
    const again = await openSafetensors(opened);
    try {
      return (await again.read(name)).data;
    } finally {
      await again.close();
    }
  };
  return fromFile({ path, offset, byteLength, read, check }, { shape, dtype });
}

/** A network's weights as files hold them. @throws UserError when a weight is too large for float16 */
export async function weightsToWrite(params: unknown, dtype: WeightDType): Promise<ReadonlyMap<string, HostTensor>> {
  const entries = [...(await toStateDict(params))];
  return new Map(entries.map(([name, entry]) => [name, dtype === 'float32' ? widened(entry) : narrowed(name, entry)]));
}

/** float16 and bfloat16 as float32, which every engine computes with; other entries as they are. */
export function widened(entry: HostTensor): HostTensor {
  if (entry.dtype !== 'float16' && entry.dtype !== 'bfloat16') return entry;
  const toNumber = entry.dtype === 'float16' ? fromFloat16Bits : fromBfloat16Bits;
  return { dtype: 'float32', shape: entry.shape, data: Float32Array.from(entry.data, toNumber) };
}

const LARGEST_FLOAT16 = 65504;

function narrowed(name: string, stored: HostTensor): HostTensor {
  if (stored.dtype === 'float16') return stored;
  const entry = widened(stored);
  if (entry.dtype !== 'float32') return entry;
  const large = entry.data.find((value) => !(Math.abs(value) <= LARGEST_FLOAT16));
  if (large !== undefined)
    throw new UserError(`[pipelines/weights] weight cannot be held in float16: name=${name}, value=${large}. Write float32.`);
  return { dtype: 'float16', shape: entry.shape, data: Uint16Array.from(entry.data, toFloat16Bits) };
}
