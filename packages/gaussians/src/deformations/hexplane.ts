import { constant, uniform } from '@langevin/nn';
import { abs, add, mean, mul, sub, tensor, readOptions, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { checkBox, type Box } from '../dynamic/box.ts';
import { configNumber, TIME_EXPONENT, type Deformation, type DeformationConfig, type MovingTensors } from '../dynamic/deformation.ts';
import { denseNet, densePlayer, weight } from '../dynamic/dense.ts';
import { acceleration, variation } from '../dynamic/plane.ts';
import { planeFeatures, samplePlanes } from '../dynamic/plane-features.ts';

export interface HexPlaneConfig {
  /** What the planes cover. */
  readonly box: Box;
  /** Samples along each axis of space at the first scale, 2..1024. @default 64 */
  readonly resolution?: number;
  /** Samples in time, 2..1024. @default 25 */
  readonly frames?: number;
  /** Multiples of the resolution, each with planes of its own, 1 to 8 of them. @default [1, 2] */
  readonly scales?: readonly number[];
  /** Features of a plane, 1..256. @default 16 */
  readonly features?: number;
  /** Units of the hidden layer of each head, 1..4096. @default 64 */
  readonly width?: number;
  /** Differences are multiplied by time^exponent, so that the first frame is the static asset; 0 for none. @default 0.35 */
  readonly exponent?: number;
  /** Weights of the penalties. @default { variation: 1e-4, acceleration: 1e-2, identity: 1e-4 }, those of 4D Gaussian splatting */
  readonly penalties?: { readonly variation: number; readonly acceleration: number; readonly identity: number };
}

const PLANES = ['xy', 'xz', 'yz', 'xt', 'yt', 'zt'] as const;
const HEADS = [
  ['means', 3],
  ['quaternions', 4],
  ['logScales', 3],
] as const;

/** Points whose features are in memory at a time when it is played. */
const AT_ONCE = 1024;

type Planes = Readonly<Record<(typeof PLANES)[number], Tensor>>;

export interface HexPlaneParams {
  /** For each scale: [samples of the second axis, samples of the first axis, features]. */
  readonly planes: readonly Planes[];
  readonly net: Readonly<Record<(typeof HEADS)[number][0], unknown>>;
}

/**
 * Six planes of features, of each two of x, y, z and time, multiplied with each other at a point, and small networks that make differences
 * of position, rotation and scale of them: HexPlane (Cao and Johnson 2023, arXiv:2301.09632) as 4D Gaussian splatting uses it (Wu et al.
 * 2024, arXiv:2310.08528). The last layers start as zero, and the planes with time as one: at first nothing moves, and nothing depends on
 * time.
 *
 * @throws UserError for a configuration out of range
 * @example
 * const gaussians = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const motion = hexPlaneDeformation({ box: boxOf(gaussians), resolution: 32, frames: 16 });
 */
export function hexPlaneDeformation(options: HexPlaneConfig): Deformation<HexPlaneParams> {
  const config = readOptions('gaussians/dynamic', options);
  const full = {
    resolution: 64,
    frames: 25,
    scales: [1, 2],
    features: 16,
    width: 64,
    exponent: TIME_EXPONENT,
    penalties: { variation: 1e-4, acceleration: 1e-2, identity: 1e-4 },
    ...config,
    box: checkBox(config.box),
  };
  const { box, resolution, frames, scales, features, width, penalties } = full;
  for (const name of ['resolution', 'frames'] as const) configNumber(full, name, { min: 2, max: 1024, integer: true });
  configNumber(full, 'features', { min: 1, max: 256, integer: true });
  configNumber(full, 'width', { min: 1, max: 4096, integer: true });
  configNumber(full, 'exponent', { min: 0, max: 8 });
  if (!Array.isArray(scales) || scales.length < 1 || scales.length > 8)
    throw new UserError(
      `[gaussians/dynamic] configuration is out of range: scales=${JSON.stringify(scales)}. Give a list of 1 to 8 integers.`,
    );
  scales.forEach((scale, i) => {
    configNumber({ [`scales.${i}`]: scale }, `scales.${i}`, { min: 1, max: 16, integer: true });
    configNumber({ resolution: resolution * scale }, 'resolution', { min: 2, max: 2048, integer: true });
  });
  for (const name of ['variation', 'acceleration', 'identity'] as const) configNumber(penalties ?? {}, name, { min: 0, max: 1e6 });
  const shapeOf = (plane: (typeof PLANES)[number], scale: number): readonly [number, number, number] => [
    plane[1] === 't' ? frames : resolution * scale,
    resolution * scale,
    features,
  ];
  const samplesOf = (scale: number): readonly [number, number, number, number] => [
    resolution * scale,
    resolution * scale,
    resolution * scale,
    frames,
  ];
  const sizes = (outputs: number): readonly number[] => [features * scales.length, width, outputs];
  const heads = Object.fromEntries(HEADS.map(([name, outputs]) => [name, denseNet(sizes(outputs))])) as Record<
    (typeof HEADS)[number][0],
    ReturnType<typeof denseNet>
  >;

  return Object.freeze({
    kind: 'hexplane',
    config: full as unknown as DeformationConfig & { readonly exponent: number },
    rates: { planes: 1e-2, net: 1e-3 },
    init: (generator: Generator): HexPlaneParams => ({
      planes: scales.map(
        (scale) =>
          Object.fromEntries(
            PLANES.map((plane) => [plane, (plane[1] === 't' ? constant(1) : uniform(0.1, 0.5))(generator, shapeOf(plane, scale))]),
          ) as Planes,
      ),
      net: Object.fromEntries(HEADS.map(([name]) => [name, heads[name].init(generator)])) as HexPlaneParams['net'],
    }),
    offsets(params: HexPlaneParams, { means }: MovingTensors, time: Tensor) {
      const position = mul(sub(means, tensor([...box.center])), 1 / box.radius);
      const x = planeFeatures(
        position,
        sub(mul(time, 2), 1),
        params.planes.map((planes, i) => ({ samples: samplesOf(scales[i]!), planes: PLANES.map((plane) => planes[plane]) })),
      );
      return {
        means: mul(heads.means.apply(params.net.means, x), box.radius),
        quaternions: heads.quaternions.apply(params.net.quaternions, x),
        logScales: heads.logScales.apply(params.net.logScales, x),
      };
    },
    penalty({ planes }: HexPlaneParams) {
      const terms = planes.flatMap((scale) =>
        PLANES.flatMap((name) => {
          const plane = scale[name];
          if (name[1] !== 't') return [mul(add(variation(plane, 0), variation(plane, 1)), penalties.variation)];
          return [
            mul(variation(plane, 1), penalties.variation),
            mul(mean(abs(sub(plane, 1))), penalties.identity),
            ...(frames > 2 ? [mul(acceleration(plane), penalties.acceleration)] : []),
          ];
        }),
      );
      return terms.reduce((a, b) => add(a, b));
    },
    player(weights, { means, count }) {
      const grids = scales.map((scale, i) => ({
        samples: samplesOf(scale),
        planes: PLANES.map((plane) => weight(weights, `planes.${i}.${plane}`, shapeOf(plane, scale))),
      }));
      const position = means.map((value, i) => (value - box.center[i % 3]!) / box.radius);
      const runs = HEADS.map(([name, outputs]) => ({ name, outputs, run: densePlayer(weights, `net.${name}`, sizes(outputs)) }));
      const wide = features * scales.length;
      const x = new Float32Array(AT_ONCE * wide);
      return (time) => {
        const offsets = {
          means: new Float32Array(3 * count),
          quaternions: new Float32Array(4 * count),
          logScales: new Float32Array(3 * count),
        };
        for (let first = 0; first < count; first += AT_ONCE) {
          const some = position.subarray(3 * first, 3 * (first + AT_ONCE));
          samplePlanes({ position: some, time: 2 * time - 1 }, grids, { features, into: x });
          for (let i = 0; i < some.length / 3; i++)
            for (const { name, outputs, run } of runs) offsets[name].set(run(x.subarray(wide * i, wide * (i + 1))), outputs * (first + i));
        }
        return { ...offsets, means: offsets.means.map((value) => value * box.radius) };
      };
    },
  } satisfies Deformation<HexPlaneParams>);
}
