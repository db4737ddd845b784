import { type Camera, checkCamera } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { checkGaussians, type FloatArray, type Gaussians } from './gaussians.ts';
import type { Cotangents, PhotometricRequest, Rendering, RenderOptions } from './rasterizer.ts';

/** Blur that every Gaussian gets, in px^2, so that none falls between the pixels (gsplat's eps2d). */
export const BLUR = 0.3;
/** Least factor of `mip` antialiasing, as in gsplat. */
export const LEAST_COMPENSATION = 0.005;
/** Opacity of one Gaussian at one pixel never exceeds this, so that transmittance can be divided out again. */
export const MOST_ALPHA = 0.99;
/** Less than one step of an 8 bit picture is not drawn. */
export const LEAST_ALPHA = 1 / 255;
/** A pixel is finished before a Gaussian that would leave it this transmittance or less. */
export const LEAST_TRANSMITTANCE = 1e-4;
/** Reach of a Gaussian in deviations, at most. */
export const MOST_REACH = 3.33;
/** Share of the field of view beyond the picture's edge up to which the projection is linearised at the Gaussian itself. */
export const FRUSTUM_MARGIN = 0.3;
/** Expected depth is divided by at least this alpha. */
export const LEAST_DIVISOR = 1e-10;

/** {@link RenderOptions} with its defaults, checked. */
export interface Settings<A extends FloatArray> {
  /** One number for each channel. */
  readonly background: readonly number[];
  readonly degree: number;
  readonly antialiasing: 'none' | 'mip';
  readonly depth: 'none' | 'accumulated' | 'expected';
  readonly near: number;
  readonly cutoff: 'hard' | 'smooth';
  readonly features: A | undefined;
  readonly colors: A | undefined;
  /** F, numbers in a row of `features`. */
  readonly featureChannels: number;
}

/** Most feature channels. */
const MOST_FEATURES = 1024;

/** Options with their defaults. `where` is "package/part". @throws UserError for arrays, a camera or options that do not fit each other */
export function settingsFor<A extends FloatArray>(
  where: string,
  asked: { readonly gaussians: Gaussians<A>; readonly camera: Camera; readonly options: RenderOptions<A> },
): Settings<A> {
  const { gaussians, camera, options } = asked;
  checkGaussians(where, gaussians);
  checkCamera(where, camera);
  const { count } = gaussians;
  const { degree = gaussians.degree, antialiasing = 'none', depth = 'none', near = 0.01, cutoff = 'hard', features, colors } = options;
  const demand = (holds: boolean, fault: () => string): void => {
    if (!holds) throw new UserError(`[${where}] ${fault()}`);
  };
  const oneOf = (name: string, value: string, known: readonly string[]): void =>
    demand(known.includes(value), () => `unknown option: ${name}=${String(value)}. Known: ${known.join(', ')}.`);
  oneOf('antialiasing', antialiasing, ['none', 'mip']);
  oneOf('depth', depth, ['none', 'accumulated', 'expected']);
  oneOf('cutoff', cutoff, ['hard', 'smooth']);
  demand(
    Number.isInteger(degree) && degree >= 0 && degree <= gaussians.degree,
    () => `degree is not among those of the Gaussians: degree=${String(degree)}. Pass an integer from 0 to ${gaussians.degree}.`,
  );
  demand(Number.isFinite(near) && near > 0, () => `no plane in front of the camera: near=${String(near)}. Pass a number > 0.`);
  demand(
    colors === undefined || colors.length === 3 * count,
    () => `colors do not have a row for each Gaussian: colors.length=${colors?.length}. Pass [N, 3], ${3 * count} numbers.`,
  );

  let featureChannels = 0;
  if (features !== undefined && count > 0) {
    featureChannels = features.length / count;
    demand(
      Number.isInteger(featureChannels) && featureChannels <= MOST_FEATURES,
      () =>
        `features do not have a row for each Gaussian: features.length=${features.length}. Pass [N, F] with N=${count} and F <= `
        + `${MOST_FEATURES}.`,
    );
  }
  const given = options.background ?? [];
  const channels = 3 + featureChannels;
  demand(
    given.length === 0
      || given.length === 3
      || given.length === channels
      || (count === 0 && given.length > 3 && given.length <= 3 + MOST_FEATURES),
    () =>
      `background does not have a number for each channel: background.length=${given.length}. Pass 3`
      + `${channels > 3 ? ` or ${channels}` : ''} numbers.`,
  );
  demand(given.every(Number.isFinite), () => `background is not finite: background=[${given.join(', ')}]. Pass finite numbers.`);
  const background = Array.from({ length: channels }, (_, channel) => given[channel] ?? 0);
  return { background, degree, antialiasing, depth, near, cutoff, features, colors, featureChannels };
}

/** Throws a UserError unless the cotangents have the shapes of what was rendered. */
export function checkCotangents(where: string, rendering: Rendering<FloatArray>, cotangents: Cotangents<FloatArray>): void {
  for (const name of ['color', 'alpha', 'depth'] as const) {
    const given = cotangents[name];
    if (given === undefined) continue;
    const output = rendering[name];
    if (output === undefined)
      throw new UserError(
        `[${where}] a gradient came back for what was not drawn: ${name}. Render with depth: 'accumulated' or 'expected'.`,
      );
    if (given.length !== output.length)
      throw new UserError(
        `[${where}] a gradient does not have the shape of its output: ${name}.length=${given.length}, expected ${output.length}. `
          + `Pass [height, width${name === 'color' ? ', channels' : ''}].`,
      );
  }
}

/** Throws a UserError unless what a picture is compared with has its shape. */
export function checkPhotometric(where: string, { camera, target, mask, dssim, depth }: PhotometricRequest<FloatArray>): void {
  const pixels = camera.width * camera.height;
  for (const [name, length, expected] of [
    ['target', target.length, 3 * pixels],
    ['mask', mask?.length, pixels],
    ['depth.target', depth?.target.length, pixels],
  ] as const) {
    if (length !== undefined && length !== expected)
      throw new UserError(
        `[${where}] what is compared is not of the picture's size: ${name}.length=${length}, expected ${expected}. Resize it.`,
      );
  }
  if (!(dssim >= 0 && dssim <= 1)) throw new UserError(`[${where}] dssim=${dssim} must lie in 0..1.`);
}
