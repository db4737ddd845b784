import { dirname, resolve } from 'node:path';
import { movingScene, parseSceneFile, playback, type Gaussians, type MovingScene, type PlacedFile } from '@langevin/gaussians';
import { readJson } from '@langevin/io/node';
import type { SplatAsset4d, SplatCloud, SplatScene4d, SplatTimes } from '@langevin/io/splats';
import { UserError } from '@langevin/tensor';
import type { CommandContext } from '../../define-command.ts';
import type { Registries } from '../../families.ts';
import { readAssetFile, type ReadAssetOptions } from './files.ts';

/** A file of Gaussians that may move, or a scene of several. */
export interface OpenedAsset {
  /** At rest, at the first moment. */
  readonly still: Gaussians;
  readonly format: string;
  readonly antialiased: boolean;
  /** Of what moves. */
  readonly times?: SplatTimes;
  /** How the file moves; a scene has none of its own. */
  readonly deformation?: NonNullable<SplatAsset4d['deformation']>;
  /** What a 4D container can hold whole: the asset, or those of a scene in their places. */
  readonly scene: SplatScene4d;
  readonly metadata?: SplatCloud['metadata'];
  /** At a time in the units of `times`. @throws UserError outside of them, or where nothing moves */
  readonly at: (time: number) => Gaussians;
}

const STILL: SplatTimes = { start: 0, end: 1, loop: 'none' };

/** @param path a file of Gaussians, or a scene file that ends in .json */
export async function openAsset(path: string, options: ReadAssetOptions, terminal: CommandContext): Promise<OpenedAsset> {
  if (path.toLowerCase().endsWith('.json')) return openScene(path, options, terminal);
  const { deformations } = terminal.registries;
  const file = await readAssetFile(path, options, terminal);
  if (file.kind === '4d') return opened4d(file.scene, { path, deformations });
  return openedOne({ cloud: file.cloud, times: STILL, deformation: null }, { path, deformations });
}

/** Where a file is from, for messages, and the deformations that it may name. */
interface Source {
  readonly path: string;
  readonly deformations: Registries['deformations'];
}

function opened4d(scene: SplatScene4d, from: Source): OpenedAsset {
  const [{ placement, ...asset }, ...others] = scene.assets as readonly [SplatScene4d['assets'][number], ...SplatScene4d['assets']];
  if (others.length === 0 && Object.keys(placement).length === 0) return openedOne(asset, from);
  return openedScene(scene, { format: '4d', label: from.path, deformations: from.deformations });
}

function openedOne(asset: SplatAsset4d, { path, deformations }: Source): OpenedAsset {
  const { cloud, times, deformation } = asset;
  const { metadata } = cloud;
  const common = {
    still: cloud,
    format: metadata?.format ?? 'unknown',
    antialiased: metadata?.antialiased ?? false,
    scene: { assets: [{ ...asset, placement: {} }] },
    ...(metadata && { metadata }),
  };
  if (deformation === null)
    return {
      ...common,
      at: () => {
        throw new UserError(`[cli/splat] nothing moves in this file: file=${path}, format=${common.format}. Leave --time out.`);
      },
    };
  const play = playback(cloud, deformation, deformations);
  return { ...common, times, deformation, at: (time) => play(share(time, times, path)) };
}

/** Several assets at once, from what a scene file or the command line says. */
export async function openPlaced(
  placed: readonly PlacedFile[],
  { folder, label, ...options }: ReadAssetOptions & { readonly folder: string; readonly label: string },
  terminal: CommandContext,
): Promise<OpenedAsset> {
  const assets: SplatScene4d['assets'][number][] = [];
  for (const { file, transform, ...times } of placed) {
    const { scene } = file.toLowerCase().endsWith('.json')
      ? { scene: undefined }
      : await openAsset(resolve(folder, file), options, terminal);
    if (scene === undefined || scene.assets.length > 1)
      throw new UserError(
        `[cli/splat] a scene holds files of Gaussians only: ${label} names ${JSON.stringify(file)}, a scene itself. Name its `
          + 'assets instead.',
      );
    assets.push({ ...scene.assets[0]!, placement: { ...transform, ...times } });
  }
  return openedScene({ assets }, { format: 'scene', label, deformations: terminal.registries.deformations });
}

function openedScene(
  scene: SplatScene4d,
  { format, label, deformations }: Omit<Source, 'path'> & { readonly format: string; readonly label: string },
): OpenedAsset {
  const far = scene.assets.findIndex(({ cloud }) => cloud.metadata?.origin?.some((value) => value !== 0));
  if (far >= 0)
    throw new UserError(
      `[cli/splat] a scene of several assets has one origin: ${label}, asset ${far} has its own, far from 0, as on a map. Convert it to `
        + '.spz or .splat first, which leave the origin out.',
    );
  const { times, at }: MovingScene = movingScene(scene.assets, deformations);
  const dropped = scene.assets.reduce((sum, { cloud }) => sum + (cloud.metadata?.dropped ?? 0), 0);
  const common = {
    still: at(),
    format,
    scene,
    antialiased: scene.assets.every(({ cloud }) => cloud.metadata?.antialiased ?? false),
    ...(dropped > 0 && { metadata: { dropped } }),
  };
  if (times === undefined)
    return {
      ...common,
      at: () => {
        throw new UserError(`[cli/splat] nothing moves in this scene: ${label}. Leave --time out.`);
      },
    };
  return {
    ...common,
    times,
    at: (time) => {
      share(time, times, label);
      return at(time);
    },
  };
}

async function openScene(path: string, options: ReadAssetOptions, terminal: CommandContext): Promise<OpenedAsset> {
  return openPlaced(parseSceneFile(await readJson(path), path), { ...options, folder: dirname(path), label: path }, terminal);
}

/** Where a time lies between the first and the last, 0 to 1. */
function share(time: number, { start, end }: SplatTimes, label: string): number {
  if (!(time >= start && time <= end))
    throw new UserError(`[cli/splat] time is outside of the motion: time=${time}, file=${label}. Give a number from ${start} to ${end}.`);
  return Math.min(1, (time - start) / (end - start));
}
