import { batchNorm, conv, normal, type BatchNormBuffers, type BatchNormParams, type ConvParams } from '@langevin/nn';
import { checkNumber, maximum, mul, readOptions, type Generator, type Tensor } from '@langevin/tensor';

export interface PatchDiscriminatorConfig {
  /** Channels of the pictures. */
  readonly inputs: number;
  /** Channels of the first convolution. @default 64 */
  readonly channels?: number;
  /** Convolutions that halve the sides; 3 see squares of 70 pixels, 2 of 34, 1 of 16. @default 3 */
  readonly layers?: number;
}

/** The stages in order; the first and the last have no norm. */
export interface PatchDiscriminatorParams {
  readonly stages: readonly { readonly conv: ConvParams; readonly norm?: BatchNormParams }[];
}

export interface PatchDiscriminatorBuffers {
  /** Of the norms, in order. */
  readonly norms: readonly BatchNormBuffers[];
}

/** What a discriminator says of pictures, and the moving statistics of its norms after it. */
export interface Verdict {
  /** [N, 1, h, w]: how real each square looks; above 0 is real. */
  readonly logits: Tensor;
  readonly buffers: PatchDiscriminatorBuffers;
}

export interface PatchDiscriminator {
  /** Side of the square of pixels that one logit depends on. */
  readonly receptiveField: number;
  readonly init: (generator: Generator) => PatchDiscriminatorParams;
  readonly buffers: () => PatchDiscriminatorBuffers;
  /** @param given `statistics`: of the batch while training, the running ones else */
  readonly apply: (
    params: PatchDiscriminatorParams,
    x: Tensor,
    given: { readonly buffers: PatchDiscriminatorBuffers; readonly statistics: 'batch' | 'running' },
  ) => Verdict;
}

/** Slope of the leaky ReLU below 0. */
const SLOPE = 0.2;
const KERNEL = 4;

/**
 * A network that says of each square of a picture how real it looks (Isola et al. 2017, arXiv:1611.07004, sec. 3.2.2, "70x70 PatchGAN"
 * for three layers): convolutions of 4x4, batch norms but at the ends, leaky ReLUs. Weights begin as N(0, 0.02^2).
 *
 * @throws UserError for a size out of range
 * @example
 * const { receptiveField, init, apply, buffers } = patchDiscriminator({ inputs: 3, channels: 8, layers: 2 });
 * const verdict = apply(init(torchGenerator(0)), zeros([2, 3, 32, 32]), { buffers: buffers(), statistics: 'batch' });
 * [receptiveField, verdict.logits.shape]; // => [34, [2, 1, 6, 6]]
 */
export function patchDiscriminator(config: PatchDiscriminatorConfig): PatchDiscriminator {
  const where = 'latent-ae/discriminator';
  const { inputs, channels = 64, layers = 3 } = readOptions(where, config, ['inputs', 'channels', 'layers']);
  checkNumber(where, { inputs, channels }, { atLeast: 1, atMost: 65_536, kind: 'integer' });
  checkNumber(where, { layers }, { atLeast: 1, atMost: 8, kind: 'integer' });
  const last = layers + 1;
  // Channels double until eight times the first.
  const width = (stage: number): number => channels * Math.min(2 ** stage, 8);
  const stages = Array.from({ length: layers + 2 }, (_, i) => ({
    norm: i === 0 || i === last ? undefined : batchNorm({ channels: width(i) }),
    stride: i < layers ? 2 : 1,
    conv: conv({
      inputs: i === 0 ? inputs : width(i - 1),
      outputs: i === last ? 1 : width(i),
      kernel: KERNEL,
      stride: i < layers ? 2 : 1,
      padding: 1,
      // A norm takes a bias away again.
      bias: i === 0 || i === last ? 'learned' : 'none',
      weightInit: normal({ deviation: 0.02 }),
    }),
  }));
  const drawn = normal({ mean: 1, deviation: 0.02 });
  return Object.freeze({
    receptiveField: stages.reduceRight((side, { stride }) => (side - 1) * stride + KERNEL, 1),
    init: (generator: Generator): PatchDiscriminatorParams => ({
      stages: stages.map((stage, i) => ({
        conv: stage.conv.init(generator),
        ...(stage.norm && { norm: { ...stage.norm.init(generator), weight: drawn(generator, [width(i)]) } }),
      })),
    }),
    buffers: () => ({ norms: stages.flatMap(({ norm }) => (norm ? [norm.buffers()] : [])) }),
    apply(params: PatchDiscriminatorParams, x: Tensor, { buffers, statistics }: Parameters<PatchDiscriminator['apply']>[2]) {
      const norms: BatchNormBuffers[] = [];
      let h = x;
      for (const [i, stage] of stages.entries()) {
        h = stage.conv.apply(params.stages[i]!.conv, h);
        if (stage.norm) {
          const normed = stage.norm.apply(params.stages[i]!.norm!, h, { buffers: buffers.norms[norms.length]!, statistics });
          norms.push(normed.buffers);
          h = normed.output;
        }
        if (i !== last) h = maximum(h, mul(h, SLOPE));
      }
      return { logits: h, buffers: { norms } };
    },
  });
}
