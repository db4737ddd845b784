import type { Camera } from '@langevin/core';
import { createRasterizer, movingScene, playback, sceneBounds, type Gaussians, type Rasterizer, type Rendering } from '@langevin/gaussians';
import { blobSource } from '@langevin/io';
import {
  detectSplatFormat,
  encodeSplats4d,
  encodeSplatScene4d,
  readSplats,
  readSplats4d,
  readSplatScene4d,
  splatFormats,
  writeSplats,
  type SplatAsset4d,
  type SplatCloud,
  type SplatScene4d,
} from '@langevin/io/splats';
import { UserError } from '@langevin/tensor';
import { stillLife } from '../built-in/still-life.ts';
import { swayingStalks } from '../built-in/swaying.ts';
import { messageOf, serve, Transferred, type WorkerScope } from '../rpc.ts';
import { boxAround, type Asset, type AssetFacts, type Pose, type Slot } from './asset.ts';

/** Gaussians that are shown, and how they move. */
interface Held {
  readonly cloud: SplatCloud;
  readonly moving?: { /** As a 4D container. */ readonly encode: () => Uint8Array<ArrayBuffer>; readonly at: (time: number) => Gaussians };
  /** The last moment that was asked for: it is often asked for again. */
  posed?: { readonly time: number; readonly gaussians: Gaussians };
}

const slots: Partial<Record<Slot, Held>> = {};
let rasterizer: Promise<Rasterizer> | undefined;
/** The last picture, for the next to be drawn over. */
let spare: Rendering | undefined;

const handlers = {
  /** Reads a file of any known format. */
  open: async ({ file, name }: { readonly file: Blob; readonly name: string }): Promise<Asset> => {
    const source = blobSource(file, JSON.stringify(name));
    const { name: format } = await detectSplatFormat(source);
    const described = { name, bytes: file.size, format };
    if (format !== '4d') return hold({ cloud: await readSplats(source, { invalid: 'drop' }) }, described);
    const { assets } = await readSplatScene4d(source, { invalid: 'drop' });
    const [{ placement, ...asset }, ...others] = assets as readonly [SplatScene4d['assets'][number], ...SplatScene4d['assets']];
    return others.length === 0 && Object.keys(placement).length === 0 ? hold4d(asset, described) : holdScene({ assets }, described);
  },

  /** Makes one of the built-in scenes. */
  example: async ({ which }: { readonly which: 'still-life' | 'swaying' }): Promise<Asset> => {
    if (which === 'still-life') return hold({ cloud: stillLife() }, { name: 'Still life', format: 'built in' });
    // Through the container, as any other asset that moves.
    const bytes = encodeSplats4d(swayingStalks());
    return hold4d(await readSplats4d(bytes), { name: 'Swaying stalks', format: 'built in, 4d', bytes: bytes.byteLength });
  },

  /** Where the Gaussians are at a time in 0..1. */
  pose: ({ slot, time }: { readonly slot: Slot; readonly time: number }): Transferred<Pose> => {
    const held = slotOf(slot);
    const { means, quaternions, logScales } = poseOf(held, time);
    // At the first moment they may be the still asset's own arrays, which stay here.
    const pose = {
      means: means.slice(),
      ...(quaternions !== held.cloud.quaternions && { quaternions: quaternions.slice() }),
      ...(logScales !== held.cloud.logScales && { logScales: logScales.slice() }),
    };
    return new Transferred(
      pose,
      Object.values(pose).map(({ buffer }) => buffer),
    );
  },

  /** Takes Gaussians that were made elsewhere, to draw and to save them. */
  take: ({ slot, gaussians }: { readonly slot: Slot; readonly gaussians: Gaussians }): void => {
    slots[slot] = { cloud: gaussians };
  },

  /** A copy of the arrays, for who packs them otherwise. */
  give: ({ slot }: { readonly slot: Slot }): Gaussians => slotOf(slot).cloud,

  /** What was trained becomes what is viewed. */
  keepTrained: (): void => {
    slots.view = { cloud: slotOf('train').cloud };
  },

  /** Names of the formats that can be written, with the end of a file name. */
  formats: (): readonly { readonly name: string; readonly end: string }[] =>
    splatFormats.filter(({ encode }) => encode !== undefined).map(({ name, extensions }) => ({ name, end: extensions[0]! })),

  /** The bytes of a file. */
  save: async ({ slot, format }: { readonly slot: Slot; readonly format: string }): Promise<Transferred<Uint8Array<ArrayBuffer>>> => {
    const { cloud, moving } = slotOf(slot);
    const bytes = format === '4d' && moving !== undefined ? moving.encode() : await writeSplats(cloud, { format });
    return new Transferred(bytes, [bytes.buffer]);
  },

  /** Draws with our own rasterizer, for where Spark cannot: RGBA, [height, width, 4]. */
  draw: async ({ slot, time, camera, background }: DrawRequest): Promise<Transferred<Uint8ClampedArray<ArrayBuffer>>> => {
    rasterizer ??= createRasterizer().then((choice) => choice.rasterizer);
    const held = slots[slot];
    const gaussians = held === undefined ? NOTHING : poseOf(held, time);
    const ready = await rasterizer;
    // Whoever draws at the same time finds none.
    const reuse = spare;
    spare = undefined;
    const rendering = await ready.render(gaussians, camera, {
      background,
      antialiasing: held?.cloud.metadata?.antialiased === true ? 'mip' : 'none',
      reuse,
    });
    const pixels = rgbaOf(rendering.color);
    spare = rendering;
    return new Transferred(pixels, [pixels.buffer]);
  },
};

/** What {@link rasterPainter} asks for. */
interface DrawRequest {
  readonly slot: Slot;
  readonly time: number;
  readonly camera: Camera;
  readonly background: readonly [number, number, number];
}

export type AssetWorker = typeof handlers;

const NOTHING: Gaussians = {
  count: 0,
  degree: 0,
  means: new Float32Array(0),
  quaternions: new Float32Array(0),
  logScales: new Float32Array(0),
  opacityLogits: new Float32Array(0),
  sh: new Float32Array(0),
};

serve(globalThis as unknown as WorkerScope, handlers);

type Described = Pick<AssetFacts, 'name' | 'format'> & Partial<Pick<AssetFacts, 'bytes' | 'times' | 'stillBecause'>>;

function slotOf(slot: Slot): Held {
  const held = slots[slot];
  if (held === undefined) throw new UserError('[demo/asset] there is nothing to show or to save yet. Open a file first.');
  return held;
}

function poseOf(held: Held, time: number): Gaussians {
  if (held.moving === undefined) return held.cloud;
  if (held.posed?.time !== time) held.posed = { time, gaussians: held.moving.at(time) };
  return held.posed.gaussians;
}

function hold(held: Held, described: Described): Asset {
  const { cloud } = held;
  slots.view = held;
  return {
    slot: 'view',
    facts: {
      ...described,
      count: cloud.count,
      degree: cloud.degree,
      box: boxAround(cloud),
      bounds: sceneBounds(cloud),
      antialiased: cloud.metadata?.antialiased === true,
      dropped: cloud.metadata?.dropped ?? 0,
    },
  };
}

function hold4d(asset: SplatAsset4d, described: Described): Asset {
  const { cloud, times, deformation } = asset;
  if (deformation === null) return hold({ cloud }, described);
  try {
    return hold({ cloud, moving: { encode: () => encodeSplats4d(asset), at: playback(cloud, deformation) } }, { ...described, times });
  } catch (error) {
    // The still asset is sound, and worth a look.
    return hold({ cloud }, { ...described, stillBecause: messageOf(error) });
  }
}

/** Several assets, each in its place and with a time of its own, as one set of Gaussians. */
function holdScene(scene: SplatScene4d, described: Described): Asset {
  const { assets } = scene;
  const metadata = {
    antialiased: assets.every(({ cloud }) => cloud.metadata?.antialiased === true),
    dropped: assets.reduce((sum, { cloud }) => sum + (cloud.metadata?.dropped ?? 0), 0),
  };
  const named = { ...described, format: `${described.format}, ${assets.length} assets` };
  try {
    const { times, at } = movingScene(assets);
    const cloud = { ...at(), metadata };
    if (times === undefined) return hold({ cloud }, named);
    return hold(
      { cloud, moving: { encode: () => encodeSplatScene4d(scene), at: (time) => at(times.start + time * (times.end - times.start)) } },
      { ...named, times },
    );
  } catch (error) {
    const { at } = movingScene(assets.map((asset) => ({ ...asset, deformation: null })));
    return hold({ cloud: { ...at(), metadata } }, { ...named, stillBecause: messageOf(error) });
  }
}

function rgbaOf(color: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray((color.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < color.length; from += 3, to += 4) for (let c = 0; c < 3; c++) pixels[to + c] = 255 * color[from + c]!;
  return pixels;
}
