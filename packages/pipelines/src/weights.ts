import { stat } from 'node:fs/promises';
import type { Network } from '@langevin/core';
import type { HostTensor } from '@langevin/io';
import { openSafetensors, type FileSlice } from '@langevin/io/node';
import { fromStateDict, shapesOnly, toStateDict, type UnreadWeight } from '@langevin/nn';
import { fromBfloat16Bits, fromFile, fromFloat16Bits, toFloat16Bits, UserError, type HostArray, type Tensor } from '@langevin/tensor';
import type { WeightFile } from './checkpoint/files.ts';

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
  const { tensors } = await mappedTensors(path, { prefix });
  return fromStateDict(network.init(shapesOnly), tensors, { from: path, floats: 'stored' });
}

export interface MappedTensorsOptions {
  /** Only names that begin with it, without it. @default '' all of them */
  readonly prefix?: string;
  /** Called with each file that is opened, so that it may be refused. @default all are taken */
  readonly place?: (path: string) => Promise<unknown>;
}

/**
 * The tensors of a safetensors file, or of the shards that an index names, none of them read: each stays in its file until an engine
 * maps or reads it, in the dtype that it has there.
 *
 * @throws UserError when the file is malformed or a pickle; from what uses a tensor, when the file is another one by then
 */
export async function mappedTensors(path: string, options: MappedTensorsOptions = {}): Promise<WeightFile> {
  const { prefix = '', place } = options;
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, Tensor | UnreadWeight>();
    const checks = new Map<string, () => Promise<void>>();
    for (const [name, { dtype, storedDType }] of file.entries) {
      if (!name.startsWith(prefix)) continue;
      const own = name.slice(prefix.length);
      if (dtype === null) {
        tensors.set(own, { unread: storedDType });
        continue;
      }
      const slice = file.slice(name);
      if (!checks.has(slice.path)) {
        await place?.(slice.path);
        checks.set(slice.path, await sameFile(slice.path));
      }
      tensors.set(own, weightOf(slice, { path, name, check: checks.get(slice.path)! }));
    }
    return { tensors, metadata: file.metadata };
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

/** Floats as float16; other entries as they are. @throws UserError when one is too large for it */
export function narrowed(name: string, stored: HostTensor): HostTensor {
  if (stored.dtype === 'float16') return stored;
  const entry = widened(stored);
  if (entry.dtype !== 'float32') return entry;
  const large = entry.data.find((value) => !(Math.abs(value) <= LARGEST_FLOAT16));
  if (large !== undefined)
    throw new UserError(`[pipelines/weights] weight cannot be held in float16: name=${name}, value=${large}. Write float32.`);
  return { dtype: 'float16', shape: entry.shape, data: Uint16Array.from(entry.data, toFloat16Bits) };
}
