import { slice, tensor, UnsupportedError, UserError, type Tensor } from '@langevin/tensor';
import type { WeightEntry } from '@langevin/nn';
import type { ImageProjectionConfig } from './image-projection.ts';

const WHERE = 'backbones/ip-adapter';
/** Features of each head of the gathering blocks: a constant of the original code that no file states. */
const HEAD_SIZE = 64;
/** Tokens of the plain adapter: likewise. */
const PLAIN_TOKENS = 4;
/** Sizes from a file are believed up to here. */
const LARGEST = 65_536;

/** What is in a file of an IP-Adapter: which projection, its weights by the names of its parameters, and those of the attentions. */
export interface IpAdapterFile {
  readonly projection: ImageProjectionConfig;
  /** For `fitWeights` into {@link imageProjection}. */
  readonly projectionEntries: ReadonlyMap<string, WeightEntry>;
  /** For `fitWeights` into one of the adapters of {@link withImagePrompts}: `1.to_k_ip.weight` and so on. */
  readonly attentionEntries: ReadonlyMap<string, WeightEntry>;
}

/**
 * The parts of an IP-Adapter's file, told apart by names and shapes alone: files have no configuration. Names begin with `image_proj.` and
 * `ip_adapter.`, as in the safetensors files of its authors.
 *
 * @throws UserError when the tensors are those of no IP-Adapter; UnsupportedError for FaceID Plus, which needs two encoders, and for
 *   FaceID's LoRA part
 */
export function readIpAdapterFile(entries: ReadonlyMap<string, WeightEntry>): IpAdapterFile {
  const part = (prefix: string): Map<string, WeightEntry> =>
    new Map([...entries].filter(([name]) => name.startsWith(prefix)).map(([name, entry]) => [name.slice(prefix.length), entry]));
  const projection = part('image_proj.');
  const attentions = part('ip_adapter.');
  const foreign = [...entries.keys()].find((name) => !name.startsWith('image_proj.') && !name.startsWith('ip_adapter.'));
  if (projection.size === 0 || attentions.size === 0 || foreign !== undefined) {
    throw new UserError(
      `[${WHERE}] this is no file of an IP-Adapter: image_proj=${projection.size} tensors, ip_adapter=${attentions.size}`
        + `${foreign === undefined ? '' : `, another: ${JSON.stringify(foreign.slice(0, 80))}`}. Give the safetensors file of its authors.`,
    );
  }
  const lora = [...attentions.keys()].find((name) => name.includes('_lora.'));
  if (lora !== undefined)
    throw new UnsupportedError(`[${WHERE}] adapters with a LoRA part are not read: ip_adapter.${lora}. Use an adapter without one.`);
  return { ...readProjection(projection), attentionEntries: attentions };
}

function readProjection(entries: ReadonlyMap<string, WeightEntry>): Omit<IpAdapterFile, 'attentionEntries'> {
  const sizes = (name: string, rank: number): readonly number[] => shapeOf(entries, { name, rank });
  const renamed = (rename: (name: string) => string): Map<string, WeightEntry> =>
    new Map([...entries].map(([name, entry]) => [rename(name), entry]));
  const perceptron = (name: string): string => name.replace(/^proj\.0\./u, 'ff.net.0.proj.').replace(/^proj\.2\./u, 'ff.net.2.');

  if (entries.has('perceiver_resampler.proj_in.weight'))
    throw new UnsupportedError(
      `[${WHERE}] adapters of faces with two encoders (FaceID Plus) are not built. Use FaceID, Plus or Plus Face.`,
    );
  if (entries.has('proj.weight')) {
    const [outputs, imageSize] = sizes('proj.weight', 2) as [number, number];
    return {
      projection: { kind: 'plain', imageSize, contextSize: whole(outputs / PLAIN_TOKENS, 'proj.weight'), tokens: PLAIN_TOKENS },
      projectionEntries: renamed((name) => name.replace(/^proj\./u, 'image_embeds.')),
    };
  }
  if (entries.has('proj.3.weight')) {
    return {
      projection: { kind: 'full', imageSize: sizes('proj.0.weight', 2)[0]!, contextSize: sizes('proj.3.weight', 1)[0]! },
      projectionEntries: renamed((name) => perceptron(name).replace(/^proj\.3\./u, 'norm.')),
    };
  }
  if (entries.has('norm.weight')) {
    const [hidden, imageSize] = sizes('proj.0.weight', 2) as [number, number];
    const contextSize = sizes('norm.weight', 1)[0]!;
    const tokens = whole(sizes('proj.2.weight', 2)[0]! / contextSize, 'proj.2.weight');
    return { projection: { kind: 'face', imageSize, contextSize, hidden, tokens }, projectionEntries: renamed(perceptron) };
  }
  const [, tokens, hidden] = sizes('latents', 3) as [number, number, number];
  const layers = new Set([...entries.keys()].flatMap((name) => /^layers\.(\d+)\./u.exec(name)?.[1] ?? [])).size;
  return {
    projection: {
      kind: 'plus',
      imageSize: sizes('proj_in.weight', 2)[1]!,
      contextSize: sizes('proj_out.weight', 2)[0]!,
      tokens,
      hidden,
      heads: whole(sizes('layers.0.0.to_q.weight', 2)[0]! / HEAD_SIZE, 'layers.0.0.to_q.weight'),
      headSize: HEAD_SIZE,
      layers,
    },
    projectionEntries: new Map([...entries].flatMap(([name, entry]) => plusEntries(name, entry))),
  };
}

/** Block i of a file is [attention, feed-forward]; keys and values are one matrix there. */
function plusEntries(name: string, entry: WeightEntry): readonly (readonly [string, WeightEntry])[] {
  const match = /^layers\.(\d+)\.([01])\.(.+)$/u.exec(name);
  if (!match) return [[name, entry]];
  const [, block, which, rest] = match as unknown as readonly [string, string, string, string];
  const place = (inner: string): string => `layers.${block}.${inner}`;
  if (which === '1') {
    const feed: Readonly<Record<string, string>> = { '0': 'ff.0', '1': 'ff.1.net.0.proj', '3': 'ff.1.net.2' };
    const [index, ...tail] = rest.split('.');
    return [[place([feed[index!] ?? rest, ...tail].join('.')), entry]];
  }
  if (rest === 'to_kv.weight') {
    const both = tensorOf(entry, name);
    const half = whole(both.shape[0]! / 2, name);
    return [
      [place('attn.to_k.weight'), slice(both, { 0: { stop: half } })],
      [place('attn.to_v.weight'), slice(both, { 0: { start: half } })],
    ];
  }
  const renames: readonly (readonly [RegExp, string])[] = [
    [/^norm1\./u, 'ln0.'],
    [/^norm2\./u, 'ln1.'],
    [/^to_q\./u, 'attn.to_q.'],
    [/^to_out\./u, 'attn.to_out.0.'],
  ];
  return [[place(renames.reduce((at, [pattern, becomes]) => at.replace(pattern, becomes), rest)), entry]];
}

function tensorOf(entry: WeightEntry, name: string): Tensor {
  if ('unread' in entry)
    throw new UnsupportedError(
      `[${WHERE}] weight has a dtype that no engine holds: image_proj.${name} is ${entry.unread}. Save it as F32, F16 or BF16.`,
    );
  return 'data' in entry ? tensor(entry.data, { shape: entry.shape, dtype: entry.dtype }) : entry;
}

function shapeOf(
  entries: ReadonlyMap<string, WeightEntry>,
  { name, rank }: { readonly name: string; readonly rank: number },
): readonly number[] {
  const entry = entries.get(name);
  if (entry === undefined)
    throw new UserError(`[${WHERE}] file lacks a tensor that says its sizes: image_proj.${name}. Give a whole file of an IP-Adapter.`);
  const { shape } = 'unread' in entry ? tensorOf(entry, name) : entry;
  const fits = shape.length === rank && shape.every((n) => n >= 1 && n <= LARGEST);
  if (fits) return shape;
  throw new UserError(
    `[${WHERE}] tensor has no shape of its kind: image_proj.${name}=[${shape.join(', ')}]. It has ${rank} axes of 1..${LARGEST}.`,
  );
}

function whole(size: number, name: string): number {
  if (Number.isInteger(size) && size >= 1) return size;
  throw new UserError(`[${WHERE}] sizes do not divide: image_proj.${name} gives ${size}. Give a whole file of an IP-Adapter.`);
}
