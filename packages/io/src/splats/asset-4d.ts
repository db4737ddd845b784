import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { HostTensor } from '../host-tensor.ts';
import { checkHostTensor } from '../host-tensor.ts';
import type { SafetensorsReader } from '../safetensors/reader.ts';
import type { ShDegree, SplatCloud } from './cloud.ts';
import { ARRAYS, checkCloud, rowLength, shCoefficients } from './cloud.ts';
import { cleanComments } from './comments.ts';
import { finishCloud } from './finish.ts';
import type { ReadRequest, SplatEncodeOptions } from './options.ts';

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

const finite = v.pipe(v.number(), v.finite());
const TRIPLE = v.tuple([finite, finite, finite]);

/** What the JSON of a file says about an asset. */
export const ASSET_ENTRIES = {
  count: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  degree: v.picklist([0, 1, 2, 3]),
  antialiased: v.optional(v.boolean()),
  comments: v.optional(v.pipe(v.array(v.string()), v.maxLength(100))),
  up: v.optional(TRIPLE),
  origin: v.optional(TRIPLE),
  times: v.strictObject({
    start: finite,
    end: finite,
    loop: v.picklist(['none', 'repeat', 'mirror']),
    frames: v.optional(v.pipe(v.array(finite), v.maxLength(100_000))),
  }),
  deformation: v.nullable(v.strictObject({ kind: v.string(), config: v.record(v.string(), v.unknown()) })),
};
type AssetHeader = v.InferOutput<v.ObjectSchema<typeof ASSET_ENTRIES, undefined>>;

const STATIC = 'static.';
const DEFORMATION = 'deformation.';

/** An asset as an entry of JSON, and as tensors whose names begin with `prefix`. @throws {UserError} when it cannot be stored */
export function packAsset(
  { cloud, times, deformation }: SplatAsset4d,
  { prefix, comments: given }: { readonly prefix: string } & Pick<SplatEncodeOptions, 'comments'>,
): { readonly header: object; readonly tensors: Readonly<Record<string, HostTensor>> } {
  checkCloud(cloud);
  checkTimes(times, 'the asset');
  const comments = cleanComments(given ?? cloud.metadata?.comments ?? []);
  const tensors: Record<string, HostTensor> = {};
  for (const name of ARRAYS) tensors[`${prefix}${STATIC}${name}`] = { dtype: 'float32', shape: shapeOf(name, cloud), data: cloud[name] };
  if (deformation !== null) {
    checkKind(deformation.kind, 'the asset');
    for (const [name, tensor] of Object.entries(deformation.tensors)) {
      checkHostTensor(tensor, `[io/splats] deformation tensor ${JSON.stringify(name)}`);
      tensors[`${prefix}${DEFORMATION}${name}`] = tensor;
    }
  }
  const header = {
    count: cloud.count,
    degree: cloud.degree,
    ...(cloud.metadata?.antialiased === undefined ? {} : { antialiased: cloud.metadata.antialiased }),
    ...(comments.length === 0 ? {} : { comments }),
    ...(cloud.metadata?.up === undefined ? {} : { up: cloud.metadata.up }),
    ...(cloud.metadata?.origin === undefined ? {} : { origin: cloud.metadata.origin }),
    times,
    deformation: deformation === null ? null : { kind: deformation.kind, config: deformation.config },
  };
  return { header, tensors };
}

/** The way back. @throws {UserError} when tensors do not fit the header, or hold numbers that are none */
export async function unpackAsset(
  file: SafetensorsReader,
  header: AssetHeader,
  { prefix, request }: { readonly prefix: string; readonly request: ReadRequest },
): Promise<SplatAsset4d> {
  const { label } = request.source;
  const { count, degree, times, deformation } = header;
  checkTimes(times, label);
  checkStaticShapes(file, { count, degree }, { prefix, label });
  const arrays = await Promise.all(
    ARRAYS.map(async (name) => [name, ((await file.read(`${prefix}${STATIC}${name}`)).data as Float32Array).slice()] as const),
  );
  const cloud = finishCloud({ count, degree, ...(Object.fromEntries(arrays) as Pick<SplatCloud, (typeof ARRAYS)[number]>) }, request, {
    format: '4d',
    ...(header.antialiased === undefined ? {} : { antialiased: header.antialiased }),
    ...(header.comments === undefined ? {} : { comments: header.comments }),
    ...(header.up === undefined ? {} : { up: header.up }),
    ...(header.origin === undefined ? {} : { origin: header.origin }),
  });
  if (deformation === null) return { cloud, times: cleanTimes(times), deformation: null };
  if (cloud.count !== count && deformation.kind === 'frames')
    throw new UserError(
      `[io/splats] ${label} has invalid Gaussians, and frames that belong to each: none of them can be left out. Save it again.`,
    );
  checkKind(deformation.kind, label);
  return {
    cloud,
    times: cleanTimes(times),
    deformation: {
      kind: deformation.kind,
      config: deformation.config as SplatDeformation['config'],
      tensors: await readWeights(file, { prefix: `${prefix}${DEFORMATION}`, label }),
    },
  };
}

/** Every tensor must belong to an asset. @param prefixes of the assets */
export function checkTensorNames(file: SafetensorsReader, prefixes: readonly string[], label: string): void {
  const known = new Set(prefixes.flatMap((prefix) => ARRAYS.map((name) => `${prefix}${STATIC}${name}`)));
  const weights = new Set(prefixes.map((prefix) => `${prefix}${DEFORMATION}`));
  for (const name of file.entries.keys()) {
    // Of an asset's prefix and "deformation.", which may be all there is.
    const place = /^(?:assets\.\d+\.)?deformation\./.exec(name)?.[0];
    if (known.has(name) || (place !== undefined && weights.has(place))) continue;
    throw new UserError(
      `[io/splats] ${label} has a tensor that belongs nowhere: ${JSON.stringify(name)}. Names begin with ${prefixes[0]}${STATIC} `
        + `or ${prefixes[0]}${DEFORMATION}`,
    );
  }
}

async function readWeights(
  file: SafetensorsReader,
  { prefix, label }: { readonly prefix: string; readonly label: string },
): Promise<Record<string, HostTensor>> {
  const tensors: Record<string, HostTensor> = {};
  for (const name of file.entries.keys()) {
    if (!name.startsWith(prefix)) continue;
    const tensor = await file.read(name);
    if (tensor.data instanceof Float32Array && !tensor.data.every((value) => Number.isFinite(value)))
      throw new UserError(`[io/splats] ${label} has a weight that is not finite: tensor=${JSON.stringify(name)}. Save it again.`);
    // A name like __proto__ must be a key as any other.
    Object.defineProperty(tensors, name.slice(prefix.length), { value: tensor, enumerable: true, configurable: true, writable: true });
  }
  return tensors;
}

function checkStaticShapes(
  file: SafetensorsReader,
  cloud: Pick<SplatCloud, 'count' | 'degree'>,
  { prefix, label }: { readonly prefix: string; readonly label: string },
): void {
  for (const name of ARRAYS) {
    const entry = file.entries.get(`${prefix}${STATIC}${name}`);
    const shape = shapeOf(name, cloud);
    if (entry?.dtype === 'float32' && entry.shape.join() === shape.join()) continue;
    throw new UserError(
      `[io/splats] ${label} has a tensor ${prefix}${STATIC}${name} of another form: `
        + `${entry === undefined ? 'missing' : `${entry.storedDType} [${entry.shape.join(', ')}]`}, expected F32 `
        + `[${shape.join(', ')}]. It is damaged.`,
    );
  }
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
  const ascending = frames.every(
    (time, i) => time >= (i === 0 ? start : frames[i - 1]!) && time <= end && (i === 0 || time > frames[i - 1]!),
  );
  if (!sound || !ascending)
    throw new UserError(
      `[io/splats] ${label} has impossible times: start=${start}, end=${end}, loop=${loop}, frames=${frames.length}. Start before `
        + 'the end, frames ascending between them.',
    );
}

function checkKind(kind: string, label: string): void {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(kind))
    throw new UserError(
      `[io/splats] ${label} has a deformation of kind=${JSON.stringify(kind.slice(0, 80))}. Name it in kebab-case, like "mlp" or `
        + '"hexplane".',
    );
}
