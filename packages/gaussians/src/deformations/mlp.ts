import { broadcastTo, concat, cos, mul, readOptions, reshape, sin, sub, tensor, type Tensor } from '@langevin/tensor';
import { checkBox, type Box } from '../dynamic/box.ts';
import { configNumber, TIME_EXPONENT, type Deformation, type DeformationConfig } from '../dynamic/deformation.ts';
import { denseNet, densePlayer } from '../dynamic/dense.ts';

export interface MlpDeformationConfig {
  /** Positions are measured in it, and differences in its radius. */
  readonly box: Box;
  /** Frequencies pi 2^k of sines and cosines of each coordinate, 0..16. @default 6 */
  readonly positionFrequencies?: number;
  /** The same of the time. @default 6 */
  readonly timeFrequencies?: number;
  /** Units of a hidden layer, 1..4096. @default 128 */
  readonly width?: number;
  /** Hidden layers, 1..32. @default 4 */
  readonly depth?: number;
  /** Differences are multiplied by time^exponent, so that the first frame is the static asset; 0 for none. @default 0.35 */
  readonly exponent?: number;
}

export interface MlpDeformationParams {
  readonly net: unknown;
}

/**
 * A network from position and time to a difference of the position: Align Your Gaussians (Ling et al. 2024, arXiv:2312.13763). Widths and
 * frequencies are ours; the paper's are not public. The last layer starts as zero: at first nothing moves.
 *
 * @throws UserError for a configuration out of range
 * @example
 * const gaussians = gaussiansFromPoints({ count: 2, positions: Float32Array.of(-1, 0, 0, 1, 0, 0), colors: Uint8Array.of(255, 80, 0, 0, 80,
 * 255) }); const motion = mlpDeformation({ box: boxOf(gaussians) });
 * const moved = deform({ deformation: motion, params: motion.init(torchGenerator(0)) }, gaussianTensors(gaussians), 0.5);
 * moved.means.shape; // => [2, 3]
 */
export function mlpDeformation(options: MlpDeformationConfig): Deformation<MlpDeformationParams> {
  const config = readOptions('gaussians/dynamic', options);
  const full = {
    positionFrequencies: 6,
    timeFrequencies: 6,
    width: 128,
    depth: 4,
    exponent: TIME_EXPONENT,
    ...config,
    box: checkBox(config.box),
  };
  const {
    box: { center, radius },
    positionFrequencies,
    timeFrequencies,
    width,
    depth,
  } = full;
  configNumber(full, 'positionFrequencies', { min: 0, max: 16, integer: true });
  configNumber(full, 'timeFrequencies', { min: 0, max: 16, integer: true });
  configNumber(full, 'width', { min: 1, max: 4096, integer: true });
  configNumber(full, 'depth', { min: 1, max: 32, integer: true });
  configNumber(full, 'exponent', { min: 0, max: 8 });
  const inputs = 3 * (1 + 2 * positionFrequencies) + 1 + 2 * timeFrequencies;
  const sizes = [inputs, ...Array<number>(depth).fill(width), 3];
  const net = denseNet(sizes);
  return Object.freeze({
    kind: 'mlp',
    config: full as unknown as DeformationConfig & { readonly exponent: number },
    rates: { net: 1e-3 },
    init: (generator) => ({ net: net.init(generator) }),
    offsets(params, { means }, time) {
      const count = means.shape[0]!;
      const position = mul(sub(means, tensor([...center])), 1 / radius);
      const features = concat(
        [
          encode(position, positionFrequencies),
          broadcastTo(encode(reshape(time, [1, 1]), timeFrequencies), [count, 1 + 2 * timeFrequencies]),
        ],
        1,
      );
      return { means: mul(net.apply(params.net, features), radius) };
    },
    player(weights, { means, count }) {
      const run = densePlayer(weights, 'net', sizes);
      const features = new Float32Array(inputs);
      return (time) => {
        const offsets = new Float32Array(3 * count);
        const timeAt = 3 * (1 + 2 * positionFrequencies);
        encodeInto(features, [time], { at: timeAt, frequencies: timeFrequencies });
        for (let i = 0; i < count; i++) {
          encodeInto(
            features,
            center.map((c, axis) => (means[3 * i + axis]! - c) / radius),
            { at: 0, frequencies: positionFrequencies },
          );
          offsets.set(run(features), 3 * i);
        }
        return { means: offsets.map((value) => value * radius) };
      };
    },
  } satisfies Deformation<MlpDeformationParams>);
}

/** [N, D] -> [N, D (1 + 2 F)]: x, then for each frequency sin(pi 2^k x) and cos(pi 2^k x) (Mildenhall et al. 2020, eq. 4). */
function encode(x: Tensor, frequencies: number): Tensor {
  const parts = Array.from({ length: frequencies }, (_, k) => mul(x, Math.PI * 2 ** k)).flatMap((angle) => [sin(angle), cos(angle)]);
  return concat([x, ...parts], 1);
}

function encodeInto(
  out: Float32Array,
  x: readonly number[],
  { at, frequencies }: { readonly at: number; readonly frequencies: number },
): void {
  out.set(x, at);
  for (let k = 0; k < frequencies; k++) {
    x.forEach((value, i) => {
      const angle = value * Math.PI * 2 ** k;
      out[at + x.length * (1 + 2 * k) + i] = Math.sin(angle);
      out[at + x.length * (2 + 2 * k) + i] = Math.cos(angle);
    });
  }
}
