import { shownValue, UnsupportedError, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { HostTensor } from '../../host-tensor.ts';
import { checkObject } from '../../given.ts';
import { parseJson, parseWith } from '../../json.ts';
import { encodeSafetensors } from '../../safetensors/encode.ts';
import type { SafetensorsReader } from '../../safetensors/reader.ts';
import { readSafetensorsSource } from '../../safetensors/reader.ts';
import type { SplatAsset4d, SplatTimes } from '../asset-4d.ts';
import { ASSET_ENTRIES, checkTensorNames, packAsset, unpackAsset } from '../asset-4d.ts';
import { bytesInMemory } from '../cloud.ts';
import { defineSplatFormat, type SplatFormat } from '../format.ts';
import type { ReadRequest, SplatEncodeOptions } from '../options.ts';
import type { SplatPlacement, SplatScene4d } from '../placement-4d.ts';
import { checkPlacement, PLACEMENT, placementOf } from '../placement-4d.ts';

/** `format` in the metadata of the file. */
export const FORMAT_4D = 'langevin-splats-4d';

/** 1 holds an asset, 2 several in a scene: programs that know assets only read the former as ever, and refuse the latter by its number. */
const ASSET_VERSION = '1';
const SCENE_VERSION = '2';

/** Most assets of a scene. */
const MAX_ASSETS = 1000;

/** The 4D container among the formats of clouds: reading gives the static asset, writing one that stands still. */
export const container4dFormat: SplatFormat = defineSplatFormat({
  name: '4d',
  extensions: ['.splats4d', '.splats4d.safetensors'],
  keeps: 'everything, bit for bit; weights of the deformation, times, comments, which way is up, an origin far from 0',
  loses: 'nothing',
  bytesPerGaussian: bytesInMemory,
  origin: 'kept',
  motion: 'kept',
  matches: (head, byteLength) => {
    if (head.byteLength < 16 || head[8] !== 0x7b) return false;
    const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
    return length <= BigInt(byteLength) && new TextDecoder().decode(head).includes(`"format":"${FORMAT_4D}"`);
  },
  read: async (request) => (await readAsset(request)).cloud,
  encode: (cloud, options) => [encodeSplats4d({ cloud, times: STILL, deformation: null }, options)],
});

const STILL: SplatTimes = { start: 0, end: 1, loop: 'none' };
const ASSET_HEADER = v.strictObject(ASSET_ENTRIES);
const SCENE_HEADER = v.strictObject({
  assets: v.pipe(v.array(v.strictObject({ ...ASSET_ENTRIES, placement: PLACEMENT })), v.minLength(1), v.maxLength(MAX_ASSETS)),
});

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
  checkObject(asset, 'asset', '[io/splats]');
  const { header, tensors } = packAsset(asset, { prefix: '', ...options });
  return encodeSafetensors(tensors, { metadata: { format: FORMAT_4D, version: ASSET_VERSION, header: JSON.stringify(header) } });
}

/**
 * Write several assets with their places and times in a scene, as one file.
 *
 * @throws {UserError} when an asset cannot be stored, a placement is out of range, or there are none or more than 1000
 * @example
 * import { encodeSplatScene4d, readSplatScene4d } from '@langevin/io/splats';
 * import { syntheticCloud } from '@langevin/io/testing';
 * const still = { cloud: syntheticCloud({ count: 5, seed: 1 }), times: { start: 0, end: 1, loop: 'none' }, deformation: null } as const;
 * const bytes = encodeSplatScene4d({ assets: [{ ...still, placement: {} }, { ...still, placement: { translation: [1, 0, 0], offset: 0.5 }
 * }] }); (await readSplatScene4d(bytes)).assets[1]?.placement; // => { translation: [1, 0, 0], offset: 0.5 }
 */
export function encodeSplatScene4d(scene: SplatScene4d): Uint8Array<ArrayBuffer> {
  checkObject(scene, 'scene', '[io/splats]');
  const { assets } = scene;
  if (!Array.isArray(assets as unknown))
    throw new UserError(`[io/splats] assets of a scene are a list: assets=${shownValue(assets)}. Pass one.`);
  if (assets.length < 1 || assets.length > MAX_ASSETS)
    throw new UserError(`[io/splats] a scene has 1 to ${MAX_ASSETS} assets: assets=${assets.length}.`);
  const tensors: Record<string, HostTensor> = {};
  const headers = assets.map((asset, i) => {
    checkObject(asset, `asset ${i}`, '[io/splats]');
    const packed = packAsset(asset, { prefix: prefixOf(i) });
    Object.assign(tensors, packed.tensors);
    return { ...packed.header, placement: checkPlacement(asset.placement, `asset ${i}`) };
  });
  return encodeSafetensors(tensors, {
    metadata: { format: FORMAT_4D, version: SCENE_VERSION, header: JSON.stringify({ assets: headers }) },
  });
}

/**
 * Read a moving asset with its weights.
 * @throws {UserError} when the file is not one, or damaged; {UnsupportedError} when it is a scene of several
 */
export async function readAsset(request: ReadRequest): Promise<SplatAsset4d> {
  const { file, version, header } = await open(request);
  const { label } = request.source;
  if (version === SCENE_VERSION)
    throw new UnsupportedError(
      `[io/splats] ${label} is a scene of several assets, each in its place, and no single one: version=${version} of the 4D `
        + 'container. Read it with readSplatScene4d.',
    );
  return readOne(file, header, request);
}

/** Read a scene of several assets, or one asset as a scene of its own. @throws {UserError} when the file is neither, or damaged */
export async function readScene(request: ReadRequest): Promise<SplatScene4d> {
  const { file, version, header } = await open(request);
  const { label } = request.source;
  if (version === ASSET_VERSION) return { assets: [{ ...(await readOne(file, header, request)), placement: {} }] };
  const parsed = parseWith(SCENE_HEADER, header, `[io/splats] ${label} header`);
  const assets: (SplatAsset4d & { readonly placement: SplatPlacement })[] = [];
  for (const [i, { placement, ...asset }] of parsed.assets.entries())
    assets.push({
      ...(await unpackAsset(file, asset, { prefix: prefixOf(i), request })),
      placement: placementOf(placement, `${label} assets[${i}]`),
    });
  checkTensorNames(
    file,
    parsed.assets.map((_, i) => prefixOf(i)),
    label,
  );
  return { assets };
}

async function open({
  source,
}: ReadRequest): Promise<{ readonly file: SafetensorsReader; readonly version: string; readonly header: unknown }> {
  const where = `[io/splats] ${source.label}`;
  const file = await readSafetensorsSource(source);
  const { format, version, header } = file.metadata;
  if (format !== FORMAT_4D)
    throw new UserError(
      `${where} is a safetensors file of another kind: format=${JSON.stringify(format ?? null)}, expected "${FORMAT_4D}". It holds `
        + 'no Gaussians.',
    );
  if (version !== ASSET_VERSION && version !== SCENE_VERSION)
    throw new UserError(
      `${where} has version=${JSON.stringify(version ?? null)} of the 4D container, known are "${ASSET_VERSION}" and `
        + `"${SCENE_VERSION}". Read it with a newer release.`,
    );
  return { file, version, header: parseJson(header ?? '', `${where} header`) };
}

async function readOne(file: SafetensorsReader, header: unknown, request: ReadRequest): Promise<SplatAsset4d> {
  const { label } = request.source;
  const parsed = parseWith(ASSET_HEADER, header, `[io/splats] ${label} header`);
  const asset = await unpackAsset(file, parsed, { prefix: '', request });
  checkTensorNames(file, [''], label);
  return asset;
}

function prefixOf(index: number): string {
  return `assets.${index}.`;
}
