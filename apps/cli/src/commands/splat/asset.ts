import { dirname, resolve } from 'node:path';
import { composeScene, parseSceneFile, playback, type Asset, type Gaussians, type PlacedFile } from '@langevin/gaussians';
import { readJson, readSplatFile, readSplats4dFile } from '@langevin/io/node';
import type { SplatAsset4d, SplatCloud, SplatTimes } from '@langevin/io/splats';
import { UserError } from '@langevin/tensor';

/** A file of Gaussians that may move, or a scene of several. */
export interface OpenedAsset {
  /** At rest, at the first moment. */
  readonly still: Gaussians;
  readonly format: string;
  readonly antialiased: boolean;
  /** Of what moves. */
  readonly times?: SplatTimes;
  /** How the file moves; a scene file has none of its own. */
  readonly deformation?: NonNullable<SplatAsset4d['deformation']>;
  readonly metadata?: SplatCloud['metadata'];
  /** At a time in the units of `times`. @throws UserError outside of them, or where nothing moves */
  readonly at: (time: number) => Gaussians;
}

/** @param path a file of Gaussians, or a scene file that ends in .json */
export async function openAsset(path: string, options: { readonly invalid?: 'drop' | 'refuse' } = {}): Promise<OpenedAsset> {
  if (path.toLowerCase().endsWith('.json')) return openScene(path);
  const cloud = await readSplatFile(path, options);
  const { metadata } = cloud;
  const common = { still: cloud, format: metadata?.format ?? 'unknown', antialiased: metadata?.antialiased ?? false, ...(metadata && { metadata }) };
  const { times, deformation } = common.format === '4d' ? await readSplats4dFile(path) : { times: undefined, deformation: null };
  if (deformation === null || times === undefined) {
    return { ...common, at: () => { throw new UserError(`[cli/splat] nothing moves in this file: file=${path}, format=${common.format}. Leave --time out.`); } };
  }
  const play = playback(cloud, deformation);
  return { ...common, times, deformation, at: (time) => play(share(time, times, path)) };
}

/** Several assets at once, from what a scene file or the command line says. */
export async function openPlaced(placed: readonly PlacedFile[], { folder, label }: { readonly folder: string; readonly label: string }): Promise<OpenedAsset> {
  const opened: { readonly placed: PlacedFile; readonly asset: OpenedAsset }[] = [];
  for (const one of placed) {
    if (one.file.toLowerCase().endsWith('.json')) throw new UserError(`[cli/splat] a scene holds files of Gaussians only: ${label} names ${JSON.stringify(one.file)}. Name its assets instead.`);
    opened.push({ placed: one, asset: await openAsset(resolve(folder, one.file)) });
  }
  const assets: readonly Asset[] = opened.map(({ placed: { transform, offset, duration, beyond }, asset: { still, times, at } }) => {
    if (times === undefined) return { gaussians: still, transform };
    const length = times.end - times.start;
    const loop = { none: 'hold', repeat: 'loop', mirror: 'mirror' } as const;
    return { gaussians: (own) => at(own === 1 ? times.end : times.start + own * length), transform, offset: offset ?? times.start, duration: duration ?? length, beyond: beyond ?? loop[times.loop] };
  });
  const moving = assets.filter(({ gaussians }) => typeof gaussians === 'function');
  const compose = composeScene(assets);
  const antialiased = opened.every(({ asset }) => asset.antialiased);
  if (moving.length === 0) return { still: compose(), format: 'scene', antialiased, at: () => { throw new UserError(`[cli/splat] nothing moves in this scene: ${label}. Leave --time out.`); } };
  const times: SplatTimes = { start: Math.min(...moving.map(({ offset = 0 }) => offset)), end: Math.max(...moving.map(({ offset = 0, duration = 1 }) => offset + duration)), loop: 'none' };
  return {
    still: compose(times.start),
    format: 'scene',
    antialiased,
    times,
    at: (time) => {
      share(time, times, label);
      return compose(time);
    },
  };
}

async function openScene(path: string): Promise<OpenedAsset> {
  return openPlaced(parseSceneFile(await readJson(path), path), { folder: dirname(path), label: path });
}

/** Where a time lies between the first and the last, 0 to 1. */
function share(time: number, { start, end }: SplatTimes, label: string): number {
  if (!(time >= start && time <= end)) throw new UserError(`[cli/splat] time is outside of the motion: time=${time}, file=${label}. Give a number from ${start} to ${end}.`);
  return Math.min(1, (time - start) / (end - start));
}
