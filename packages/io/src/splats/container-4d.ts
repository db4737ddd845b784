import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { HostTensor } from '../host-tensor.ts';
import { checkHostTensor } from '../host-tensor.ts';
import { parseJson, parseWith } from '../json.ts';
import type { ByteSource } from '../safetensors/byte-source.ts';
import { encodeSafetensors } from '../safetensors/encode.ts';
import type { SafetensorsReader } from '../safetensors/reader.ts';
import { readSafetensorsSource } from '../safetensors/reader.ts';
import type { ShDegree, SplatCloud } from './cloud.ts';
import { ARRAYS, bytesInMemory, checkCloud, rowLength, shCoefficients } from './cloud.ts';
import { cleanComments } from './comments.ts';
import { finishCloud } from './finish.ts';
import type { SplatFormat } from './format.ts';
import type { ReadRequest, SplatEncodeOptions } from './options.ts';

/** `format` in the metadata of the file. */
export const FORMAT_4D = 'langevin-splats-4d';
export const VERSION_4D = '1';

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** How the Gaussians move: a family by its name, what it needs to be built again, and its weights. */
export interface SplatDeformation {
  /** Family: `'mlp'`, `'hexplane'`, `'frames'`, or one of your own in kebab-case. */
  readonly kind: string;
  /** Sizes and options; what it means is the family's. */
  readonly config: { readonly [key: string]: Json };
  /** Weights by name, dots allowed. */
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/** When the asset moves. */
export interface SplatTimes {
  /** First and last moment in seconds, start < end; the deformation sees (t - start) / (end - start). */
  readonly start: number;
  readonly end: number;
  /** After the end: stay, begin again, or run back. */
  readonly loop: 'none' | 'repeat' | 'mirror';
  /** Moments that were trained on or stored, ascending, within start and end. */
  readonly frames?: readonly number[];
}

/** A static asset, and how it moves. */
export interface SplatAsset4d {
  readonly cloud: SplatCloud;
  readonly times: SplatTimes;
  /** Null for an asset that stands still. */
  readonly deformation: SplatDeformation | null;
}

/** The 4D container among the formats of clouds: reading gives the static asset, writing one that stands still. */
export const container4dFormat: SplatFormat = {
  name: '4d',
  extensions: ['.splats4d', '.splats4d.safetensors'],
  keeps: 'everything, bit for bit; weights of the deformation, times, comments',
  loses: 'nothing',
  bytesPerGaussian: bytesInMemory,
  matches: (head, byteLength) => {
    if (head.byteLength < 16 || head[8] !== 0x7b) return false;
    const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
    return length <= BigInt(byteLength) && new TextDecoder().decode(head).includes(`"format":"${FORMAT_4D}"`);
  },
  read: async (request) => (await readAsset(request)).cloud,
  encode: (cloud, options) => [encodeSplats4d({ cloud, times: STILL, deformation: null }, options)],
};

const STILL: SplatTimes = { start: 0, end: 1, loop: 'none' };

const finite = v.pipe(v.number(), v.finite());
const HEADER = v.strictObject({
  count: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  degree: v.picklist([0, 1, 2, 3]),
  antialiased: v.optional(v.boolean()),
  comments: v.optional(v.pipe(v.array(v.string()), v.maxLength(100))),
  times: v.strictObject({ start: finite, end: finite, loop: v.picklist(['none', 'repeat', 'mirror']), frames: v.optional(v.pipe(v.array(finite), v.maxLength(100_000))) }),
  deformation: v.nullable(v.strictObject({ kind: v.string(), config: v.record(v.string(), v.unknown()) })),
});

const STATIC = 'static.';
const DEFORMATION = 'deformation.';

/**
 * Write a moving asset: a safetensors file whose metadata holds a JSON header; docs/formats-4d.md has the layout.
 *
 * @throws {UserError} when the cloud, the times or the deformation cannot be stored
 * @example
 * import { bytesSource } from '@langevin/io';
 * import { encodeSplats4d, readSplats4d } from '@langevin/io/splats';
 * import { syntheticCloud } from '@langevin/io/testing';
 * const weights = { 'head.bias': { dtype: 'float32', shape: [3], data: new Float32Array(3) } } as const;
 * const bytes = encodeSplats4d({
 *   cloud: syntheticCloud({ count: 5, seed: 1 }),
 *   times: { start: 0, end: 2, loop: 'repeat' },
 *   deformation: { kind: 'mlp', config: { width: 64 }, tensors: weights },
 * });
 * (await readSplats4d(bytes)).deformation?.config; // => { width: 64 }
 */
export function encodeSplats4d(asset: SplatAsset4d, options: SplatEncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const { cloud, times, deformation } = asset;
  checkCloud(cloud);
  checkTimes(times, 'the asset');
  const comments = cleanComments(options.comments ?? cloud.metadata?.comments ?? []);
  const tensors: Record<string, HostTensor> = {};
  for (const name of ARRAYS) tensors[`${STATIC}${name}`] = { dtype: 'float32', shape: shapeOf(name, cloud), data: cloud[name] };
  if (deformation !== null) {
    checkKind(deformation.kind, 'the asset');
    for (const [name, tensor] of Object.entries(deformation.tensors)) {
      checkHostTensor(tensor, `[io/splats] deformation tensor ${JSON.stringify(name)}`);
      tensors[`${DEFORMATION}${name}`] = tensor;
    }
  }
  const header = {
    count: cloud.count,
    degree: cloud.degree,
    ...(cloud.metadata?.antialiased === undefined ? {} : { antialiased: cloud.metadata.antialiased }),
    ...(comments.length === 0 ? {} : { comments }),
    times,
    deformation: deformation === null ? null : { kind: deformation.kind, config: deformation.config },
  };
  return encodeSafetensors(tensors, { metadata: { format: FORMAT_4D, version: VERSION_4D, header: JSON.stringify(header) } });
}

/** Read a moving asset with its weights. @throws {UserError} when the file is not one, or damaged */
export async function readAsset(request: ReadRequest): Promise<SplatAsset4d> {
  const { source } = request;
  const where = `[io/splats] ${source.label}`;
  const file = await readSafetensorsSource(source);
  const { metadata } = file;
  if (metadata['format'] !== FORMAT_4D) throw new UserError(`${where} is a safetensors file of another kind: format=${JSON.stringify(metadata['format'] ?? null)}, expected "${FORMAT_4D}". It holds no Gaussians.`);
  if (metadata['version'] !== VERSION_4D) throw new UserError(`${where} has version=${JSON.stringify(metadata['version'] ?? null)} of the 4D container, known is "${VERSION_4D}". Read it with a newer release.`);
  const header = parseWith(HEADER, parseJson(metadata['header'] ?? '', `${where} header`), `${where} header`);
  const { count, degree, times, deformation } = header;
  checkTimes(times, source.label);
  checkStaticShapes(file, { count, degree }, source);

  const arrays = await Promise.all(ARRAYS.map(async (name) => [name, ((await file.read(`${STATIC}${name}`)).data as Float32Array).slice()] as const));
  const cloud = finishCloud({ count, degree, ...(Object.fromEntries(arrays) as Pick<SplatCloud, (typeof ARRAYS)[number]>) }, request, {
    format: '4d',
    ...(header.antialiased === undefined ? {} : { antialiased: header.antialiased }),
    ...(header.comments === undefined ? {} : { comments: header.comments }),
  });
  if (deformation === null) return { cloud, times: cleanTimes(times), deformation: null };
  if (cloud.count !== count && deformation.kind === 'frames') throw new UserError(`${where} has invalid Gaussians, and frames that belong to each. It cannot be read with invalid: 'drop'.`);
  checkKind(deformation.kind, source.label);
  return { cloud, times: cleanTimes(times), deformation: { kind: deformation.kind, config: deformation.config as SplatDeformation['config'], tensors: await readTensors(file, where) } };
}

async function readTensors(file: SafetensorsReader, where: string): Promise<Record<string, HostTensor>> {
  const tensors: Record<string, HostTensor> = {};
  for (const name of file.entries.keys()) {
    if (name.startsWith(STATIC)) continue;
    if (!name.startsWith(DEFORMATION)) throw new UserError(`${where} has a tensor that belongs nowhere: ${JSON.stringify(name)}. Names begin with ${STATIC} or ${DEFORMATION}`);
    const tensor = await file.read(name);
    if (tensor.data instanceof Float32Array && !tensor.data.every((value) => Number.isFinite(value))) throw new UserError(`${where} has a weight that is not finite: tensor=${JSON.stringify(name)}. Save it again.`);
    // A name like __proto__ must be a key as any other.
    Object.defineProperty(tensors, name.slice(DEFORMATION.length), { value: tensor, enumerable: true, configurable: true, writable: true });
  }
  return tensors;
}

function checkStaticShapes(file: SafetensorsReader, cloud: Pick<SplatCloud, 'count' | 'degree'>, source: ByteSource): void {
  for (const name of ARRAYS) {
    const entry = file.entries.get(`${STATIC}${name}`);
    const shape = shapeOf(name, cloud);
    if (entry?.dtype === 'float32' && entry.shape.join() === shape.join()) continue;
    throw new UserError(`[io/splats] ${source.label} has a tensor ${STATIC}${name} of another form: ${entry === undefined ? 'missing' : `${entry.storedDType} [${entry.shape.join(', ')}]`}, expected F32 [${shape.join(', ')}]. It is damaged.`);
  }
  const others = [...file.entries.keys()].filter((name) => name.startsWith(STATIC) && !ARRAYS.some((known) => name === `${STATIC}${known}`));
  if (others.length > 0) throw new UserError(`[io/splats] ${source.label} has a tensor that belongs nowhere: ${JSON.stringify(others[0])}. It is damaged.`);
}

function shapeOf(name: (typeof ARRAYS)[number], { count, degree }: { readonly count: number; readonly degree: ShDegree }): number[] {
  if (name === 'sh') return [count, shCoefficients(degree), 3];
  return name === 'opacityLogits' ? [count] : [count, rowLength(name, degree)];
}

interface TimesInFile {
  readonly start: number;
  readonly end: number;
  readonly loop: SplatTimes['loop'];
  readonly frames?: readonly number[] | undefined;
}

function cleanTimes({ start, end, loop, frames }: TimesInFile): SplatTimes {
  return { start, end, loop, ...(frames === undefined ? {} : { frames }) };
}

function checkTimes({ start, end, loop, frames = [] }: TimesInFile, label: string): void {
  const sound = Number.isFinite(start) && Number.isFinite(end) && start < end && ['none', 'repeat', 'mirror'].includes(loop);
  const ascending = frames.every((time, i) => time >= (i === 0 ? start : frames[i - 1]!) && time <= end && (i === 0 || time > frames[i - 1]!));
  if (!sound || !ascending) throw new UserError(`[io/splats] ${label} has impossible times: start=${start}, end=${end}, loop=${loop}, frames=${frames.length}. Start before the end, frames ascending between them.`);
}

function checkKind(kind: string, label: string): void {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(kind)) throw new UserError(`[io/splats] ${label} has a deformation of kind=${JSON.stringify(kind.slice(0, 80))}. Name it in kebab-case, like "mlp" or "hexplane".`);
}
