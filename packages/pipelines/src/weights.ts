import { stat } from 'node:fs/promises';
import type { Network } from '@langevin/core';
import { readGgufSource, type HostTensor } from '@langevin/io';
import { heldSource, openSafetensors } from '@langevin/io/node';
import { fromStateDict, shapesOnly, toStateDict } from '@langevin/nn';
import { toFloat16Bits, UserError } from '@langevin/tensor';
import type { WeightFile } from './checkpoint/files.ts';
import { lazyGguf, lazyWeights } from './stored/lazy-weights.ts';
import { widened } from './widened.ts';

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
 * The tensors of a safetensors or GGUF file, or of the shards that an index names, none of them read: each stays in its file until an
 * engine maps or reads it, in the dtype that it has there; what has to be decoded is, then. A file is open only while it is read.
 *
 * @throws UserError when the file is malformed or a pickle; from what uses a tensor, when the file is another one by then
 */
export async function mappedTensors(path: string, options: MappedTensorsOptions = {}): Promise<WeightFile> {
  const { prefix = '', place } = options;
  if (path.toLowerCase().endsWith('.gguf')) {
    const file = await readGgufSource(await heldSource(path));
    await place?.(path);
    const check = await sameFile(path);
    return lazyGguf(file, { place: () => ({ path, check }) });
  }
  const file = await openSafetensors(path, { handle: 'while-reading' });
  const checks = new Map<string, () => Promise<void>>();
  for (const shard of new Set([...file.entries.keys()].map((name) => file.shardOf(name)))) {
    await place?.(shard);
    checks.set(shard, await sameFile(shard));
  }
  return lazyWeights(file, {
    prefix,
    place: (name) => ({ path: file.shardOf(name), check: checks.get(file.shardOf(name))! }),
  });
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

/** A network's weights as files hold them. @throws UserError when a weight is too large for float16 */
export async function weightsToWrite(params: unknown, dtype: WeightDType): Promise<ReadonlyMap<string, HostTensor>> {
  const entries = [...(await toStateDict(params))];
  return new Map(entries.map(([name, entry]) => [name, dtype === 'float32' ? widened(entry) : narrowed(name, entry)]));
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
