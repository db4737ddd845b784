import { shownValue, UserError } from '@langevin/tensor';

/** Mean and deviation of latents over a set, for each channel. */
export interface LatentStatistics {
  /** Items that were looked at. */
  readonly count: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Adds latents up, in float64. */
export interface LatentStatisticsMeter {
  /** @param latents float32 [N, channels, ...] */
  readonly add: (latents: Float32Array, shape: readonly number[]) => void;
  /** @throws UserError when nothing was added */
  readonly result: () => LatentStatistics;
}

/** Beyond these a channel is hardly one that can be diffused over. */
const LARGEST = 10;
const SMALLEST = 1e-3;

/**
 * Measures the latents of a data set: what `scale` and `shift` of an autoencoder are taken from.
 *
 * @example
 * const meter = latentStatistics();
 * meter.add(Float32Array.of(1, 3, 10, 10), [1, 2, 2]);
 * const { mean, std } = meter.result();
 * [mean, std]; // => [[2, 10], [1, 0]]
 */
export function latentStatistics(): LatentStatisticsMeter {
  let sums: Float64Array | undefined;
  let squares = new Float64Array();
  let items = 0;
  let places = 0;
  return Object.freeze({
    add(latents: Float32Array, shape: readonly number[]) {
      const [n = 0, channels = 0, ...behind] = shape;
      const each = behind.reduce((size, side) => size * side, 1);
      if (n < 1 || channels < 1 || latents.length !== n * channels * each)
        throw new UserError(
          `[latent-ae/statistics] latents do not have their shape: shape=${shownValue(shape)}, numbers=${latents.length}. `
            + 'Give [N, channels, ...].',
        );
      if (sums === undefined) {
        sums = new Float64Array(channels);
        squares = new Float64Array(channels);
      }
      if (sums.length !== channels)
        throw new UserError(
          `[latent-ae/statistics] latents have other channels: channels=${channels}, before=${sums.length}. ` + 'Measure one autoencoder.',
        );
      for (let i = 0; i < latents.length; i += 1) {
        const value = latents[i]!;
        const channel = Math.floor(i / each) % channels;
        sums[channel]! += value;
        squares[channel]! += value * value;
      }
      items += n;
      places += n * each;
    },
    result() {
      if (sums === undefined) throw new UserError('[latent-ae/statistics] no latents were added: count=0. Add some.');
      const mean = Array.from(sums, (sum) => sum / places);
      const std = mean.map((m, c) => Math.sqrt(Math.max(0, squares[c]! / places - m * m)));
      return Object.freeze({ count: items, mean: Object.freeze(mean), std: Object.freeze(std) });
    },
  });
}

/**
 * What whoever diffuses over the latents should know of the statistics, a sentence each: channels that are dead, or have grown large
 * (without a regulariser nothing keeps them).
 *
 * @example
 * latentRemarks({ count: 1, mean: [0, 0], std: [1, 1e-6] }); // => ['channel 1 of the latents is dead: its deviation is 0.0000010']
 */
export function latentRemarks({ std }: LatentStatistics): readonly string[] {
  return std.flatMap((deviation, channel) => {
    if (deviation < SMALLEST) return [`channel ${channel} of the latents is dead: its deviation is ${deviation.toFixed(7)}`];
    if (deviation > LARGEST) return [`channel ${channel} of the latents has grown: its deviation is ${deviation.toFixed(1)}`];
    return [];
  });
}

/** What stands in a configuration by default: one factor and one shift for all channels. */
export function jointStatistics({ mean, std }: LatentStatistics): { readonly scale: number; readonly shift: number } {
  const shift = mean.reduce((sum, m) => sum + m, 0) / mean.length;
  const variance = std.reduce((sum, s, c) => sum + s * s + (mean[c]! - shift) ** 2, 0) / std.length;
  return { scale: 1 / Math.sqrt(Math.max(variance, 1e-12)), shift };
}
