import type { HostTensor } from '@langevin/io';
import { openSafetensors } from '@langevin/io/node';
import { fromStateDict, shapesOnly, toStateDict } from '@langevin/nn';
import { fromBfloat16Bits, fromFloat16Bits, toFloat16Bits, UserError } from '@langevin/tensor';
import type { ImageBackbone } from './image-backbone.ts';

export type WeightDType = 'float16' | 'float32';

export interface ReadWeightsOptions {
  /** Whose weights they are. */
  readonly backbone: Pick<ImageBackbone, 'network'>;
  /** Of the names in the file that belong to the network: 'average.' in training checkpoints. @default '' all of them */
  readonly prefix?: string;
}

/**
 * Read a network's weights; 16-bit floats become float32.
 *
 * @throws UserError when the file is malformed, a pickle, or does not fit the network
 */
export async function readWeights(path: string, { backbone: { network }, prefix = '' }: ReadWeightsOptions): Promise<unknown> {
  const file = await openSafetensors(path);
  try {
    const entries = new Map<string, HostTensor>();
    for (const name of file.entries.keys()) {
      if (name.startsWith(prefix)) entries.set(name.slice(prefix.length), widened(await file.read(name)));
    }
    return fromStateDict(network.init(shapesOnly), entries, { from: path });
  } finally {
    await file.close();
  }
}

/** A network's weights as files hold them. @throws UserError when a weight is too large for float16 */
export async function weightsToWrite(params: unknown, dtype: WeightDType): Promise<ReadonlyMap<string, HostTensor>> {
  const entries = await toStateDict(params);
  if (dtype === 'float32') return entries;
  return new Map([...entries].map(([name, entry]) => [name, narrowed(name, entry)]));
}

/** float16 and bfloat16 as float32, which every engine computes with; other entries as they are. */
export function widened(entry: HostTensor): HostTensor {
  if (entry.dtype !== 'float16' && entry.dtype !== 'bfloat16') return entry;
  const toNumber = entry.dtype === 'float16' ? fromFloat16Bits : fromBfloat16Bits;
  return { dtype: 'float32', shape: entry.shape, data: Float32Array.from(entry.data, toNumber) };
}

const LARGEST_FLOAT16 = 65504;

function narrowed(name: string, entry: HostTensor): HostTensor {
  if (entry.dtype !== 'float32') return entry;
  const large = entry.data.find((value) => !(Math.abs(value) <= LARGEST_FLOAT16));
  if (large !== undefined)
    throw new UserError(`[pipelines/weights] weight cannot be held in float16: name=${name}, value=${large}. Write float32.`);
  return { dtype: 'float16', shape: entry.shape, data: Uint16Array.from(entry.data, toFloat16Bits) };
}
