import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder, writeFileAtomic, writeSafetensors } from '@langevin/io/node';
import type { HostTensor, StreamedTensor } from '@langevin/io';
import {
  checkChoice,
  checkListeners,
  data,
  namedTensors,
  readOptions,
  shownValue,
  UnsupportedError,
  UserError,
  type DType,
  type Tensor,
} from '@langevin/tensor';
import { within } from '../checkpoint/files.ts';
import { checkPath } from '../exists.ts';
import { narrowed } from '../weights.ts';
import { widened } from '../widened.ts';
import type { OpenProduct } from './product.ts';

const WHERE = 'pipelines/save';
const DTYPES = ['stored', 'float16', 'float32'] as const;
/** What is no weight: configurations, vocabularies. The largest vocabularies take some 20 MB. */
const LARGEST_FILE = 64 * 1024 * 1024;
const WEIGHTS = /\.(?:safetensors|safetensors\.index\.json|bin|bin\.index\.json|ckpt|pt|pth|msgpack|h5|onnx|onnx_data|gguf)$/iu;

export interface SaveModelOptions {
  /** Of weights: as their files have them (those that adapters changed in float32), or all in one. @default 'stored' */
  readonly dtype?: (typeof DTYPES)[number];
  /** Stops between two tensors; nothing is left behind. */
  readonly signal?: AbortSignal;
  /** Called after each tensor, with the tensors written and all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Writes an opened model as a folder in the layout of diffusers, with adapters in its weights: configurations, schedulers and tokenizers as
 * they were, weights as safetensors under the names of their classes. A tensor at a time is in memory. The folder appears when all of it is
 * there.
 *
 * @throws UserError when the folder has files, a weight is too large for float16, or the model has words of textual inversion, which no
 *   folder of diffusers holds
 * @example
 * // not run: needs a checkpoint in a folder
 * const model = await openModel('stable-diffusion-v1-5', { adapters: [{ from: 'style.safetensors', strength: 0.8 }] });
 * await saveModel('stable-diffusion-style', model, { dtype: 'float16' });
 */
export async function saveModel(folder: string, model: OpenProduct, options: SaveModelOptions = {}): Promise<void> {
  checkPath(folder);
  if (typeof model !== 'object' || model === null || !(model.weights instanceof Map))
    throw new UserError(`[${WHERE}] there is no model: model=${shownValue(model)}. Pass what openModel() gives.`);
  const { dtype = 'stored', signal, onProgress } = readOptions(WHERE, options, ['dtype', 'signal', 'onProgress']);
  checkListeners(WHERE, { signal, onProgress });
  checkChoice(WHERE, { dtype }, DTYPES);
  if (model.embeddings.length > 0)
    throw new UserError(
      `[${WHERE}] words of textual inversion are in no folder of diffusers: first=${model.embeddings[0]!.token}. `
        + 'Open the model without them, and give their files beside it.',
    );
  const steers = [...model.checkpoint.components.keys()].find((name) => /^controlnet|^adapter$/u.test(name));
  if (steers !== undefined)
    throw new UnsupportedError(
      `[${WHERE}] checkpoints with what steers them are not written: component=${steers}. Save the model without it.`,
    );
  const target = resolve(folder);
  const there = await readdir(target).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new UserError(`[${WHERE}] this is no folder to write to: folder=${folder}, code=${String(code)}. Give another path.`, { cause });
  });
  if (there !== undefined && there.length > 0)
    throw new UserError(`[${WHERE}] folder has files: folder=${folder}, files=${there.length}. Give one that is empty, or not there.`);
  await makeFolder(dirname(target));
  const making = `${target}.${randomUUID()}.tmp`;
  await makeFolder(making);
  try {
    await writeAll(making, model, { dtype, signal, onProgress });
    if (there !== undefined) await rmdir(target);
    await rename(making, target);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

interface Writing {
  readonly dtype: (typeof DTYPES)[number];
  readonly signal: AbortSignal | undefined;
  readonly onProgress: SaveModelOptions['onProgress'];
}

async function writeAll(
  folder: string,
  { checkpoint, weights, engine }: OpenProduct,
  { dtype, signal, onProgress }: Writing,
): Promise<void> {
  const { files, components } = checkpoint;
  // What is not run here is not written: diffusers does without what its index has as null.
  const left = new Set([...components.values()].filter((each) => each.weights && !weights.has(each.name)).map(({ name }) => name));
  for (const path of files.sizes.keys()) {
    const component = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    if (WEIGHTS.test(path) || component === '' || !components.has(component) || left.has(component)) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFileAtomic(join(folder, path), await files.bytes(path, { maxBytes: LARGEST_FILE }));
  }
  const index = (await files.json('model_index.json')) as Readonly<Record<string, unknown>>;
  const kept = Object.fromEntries(Object.entries(index).map(([key, value]) => [key, left.has(key) ? [null, null] : value]));
  await writeFileAtomic(join(folder, 'model_index.json'), `${JSON.stringify(kept, null, 2)}\n`);
  const named = [...weights].map(([name, params]) => [name, namedTensors(params)] as const);
  const total = named.reduce((count, [, tensors]) => count + tensors.size, 0);
  let done = 0;
  const entry = async (name: string, tensor: Tensor): Promise<HostTensor> => {
    signal?.throwIfAborted();
    const own = { dtype: tensor.dtype, shape: tensor.shape, data: await data(tensor, engine ? { engine } : {}) } as HostTensor;
    onProgress?.(++done, total);
    return dtype === 'stored' ? own : dtype === 'float32' ? widened(own) : narrowed(name, own);
  };
  for (const [name, tensors] of named) {
    const { folder: own, className } = components.get(name)!;
    // transformers looks for another name than diffusers.
    const file = className.startsWith('CLIP') || className.startsWith('T5') ? 'model' : 'diffusion_pytorch_model';
    await mkdir(join(folder, own), { recursive: true });
    const streamed = new Map([...tensors].map(([key, tensor]) => [key, streamOf(key, { tensor, dtype, entry })]));
    await writeSafetensors(join(folder, within(own, `${file}.safetensors`)), streamed, { metadata: { format: 'pt' } });
  }
}

function streamOf(
  name: string,
  {
    tensor,
    dtype,
    entry,
  }: {
    readonly tensor: Tensor;
    readonly dtype: Writing['dtype'];
    readonly entry: (name: string, tensor: Tensor) => Promise<HostTensor>;
  },
): StreamedTensor {
  const isFloat = ['float32', 'float16', 'bfloat16'].includes(tensor.dtype);
  const stored: DType = dtype === 'stored' || !isFloat ? tensor.dtype : dtype;
  return {
    dtype: stored,
    shape: tensor.shape,
    stream: async function* () {
      const { data: values } = await entry(name, tensor);
      yield new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
    },
  };
}
