import { readOptions, add, div, mul, reshape, split, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { constant } from '../init.ts';
import { activations, type ActivationName } from '../layers/activation.ts';
import { conv, type ConvParams } from '../layers/conv.ts';
import { dropout } from '../layers/dropout.ts';
import { linear, type LinearParams } from '../layers/linear.ts';
import { groupNorm, type NormParams } from '../layers/norm.ts';
import type { Mode } from '../mode.ts';
import { defineModule, scoped, type Module } from '../module.ts';
import { firDoubled, firHalved } from './fir-resample.ts';
import { doubled, halved } from './resample.ts';

export interface ResnetBlockConfig {
  readonly inputs: number;
  /** @default inputs */
  readonly outputs?: number;
  /** Features of the conditioning vector; null for a block without one. */
  readonly embedding: number | null;
  /** Axes behind the channels. @default 2 */
  readonly axes?: 1 | 2 | 3;
  /** Of both group norms; divides `inputs` and `outputs`. */
  readonly groups: number;
  /** Of the second group norm; divides `outputs`. @default groups */
  readonly groupsOut?: number;
  /** Of the group norms. @default 1e-6, diffusers' */
  readonly epsilon?: number;
  /**
   * How the vector enters: `'add'` before the second norm (Ho et al. 2020), or `'scale-shift'` after it, also called AdaGN (Dhariwal and
   * Nichol 2021, sec. 3). @default 'add'
   */
  readonly conditioning?: 'add' | 'scale-shift';
  /** Whether the vector goes through the activation before it is projected. @default 'activated' */
  readonly embeddingAs?: 'activated' | 'given';
  /** Before the second convolution, in training. @default 0 */
  readonly dropout?: number;
  /** @default 'silu' */
  readonly activation?: ActivationName;
  /**
   * Change of height and width between the first activation and convolution, and in the shortcut; with `fir-` behind a filter.
   * @default 'none'
   */
  readonly resample?: 'none' | 'up' | 'down' | 'fir-up' | 'fir-down';
  /** A convolution in the shortcut: where inputs and outputs differ, or always. @default 'where needed' */
  readonly shortcut?: 'where needed' | 'always';
  /** The sum with the shortcut is divided by this. @default 1 */
  readonly outputScale?: number;
  /** `'zero'` makes a fresh block its own shortcut (Ho et al. 2020's code). @default 'uniform', diffusers' */
  readonly lastInit?: 'uniform' | 'zero';
}

/** Names of diffusers. */
export interface ResnetBlockParams {
  readonly norm1: NormParams;
  readonly conv1: ConvParams;
  readonly time_emb_proj?: LinearParams;
  readonly norm2: NormParams;
  readonly conv2: ConvParams;
  readonly conv_shortcut?: ConvParams;
}

/** What goes into a block beside the image. */
export interface ResnetBlockInputs {
  /** The conditioning vector [N, embedding]; null for a block without one. */
  readonly embedding: Tensor | null;
  /** @default evaluation */
  readonly mode?: Mode | undefined;
}

const RESAMPLE = { none: (x: Tensor) => x, up: doubled, down: halved, 'fir-up': firDoubled, 'fir-down': firHalved };

/**
 * Two convolutions of 3 on each axis, each after group norm and activation, around a shortcut, conditioned on a vector: diffusers'
 * `ResnetBlock2D`, and the same over sequences or volumes.
 *
 * `apply(params, x [N, inputs, ...], embedding [N, embedding] | null, mode?)` gives [N, outputs, ...]; `'fir-'` filters are for pictures.
 */
export function resnetBlock(given: ResnetBlockConfig): Module<ResnetBlockParams, readonly [x: Tensor, inputs: ResnetBlockInputs], Tensor> {
  const config = readOptions('nn/resnetBlock', given);
  const { inputs, outputs = inputs, embedding, groups, epsilon = 1e-6, conditioning = 'add', outputScale = 1, axes = 2 } = config;
  const act = activations[config.activation ?? 'silu'];
  const resample = RESAMPLE[config.resample ?? 'none'];
  const zeroInit = config.lastInit === 'zero' ? { weightInit: constant(0), biasInit: constant(0) } : {};
  const norm1 = scoped('norm1', groupNorm({ channels: inputs, groups, epsilon }));
  const conv1 = scoped('conv1', conv({ inputs, outputs, kernel: 3, axes, padding: 1 }));
  const project =
    embedding === null
      ? undefined
      : scoped('time_emb_proj', linear({ inputs: embedding, outputs: conditioning === 'add' ? outputs : 2 * outputs }));
  const norm2 = scoped('norm2', groupNorm({ channels: outputs, groups: config.groupsOut ?? groups, epsilon }));
  const drop = dropout(config.dropout ?? 0);
  const conv2 = scoped('conv2', conv({ inputs: outputs, outputs, kernel: 3, axes, padding: 1, ...zeroInit }));
  const isStraight = inputs === outputs && config.shortcut !== 'always';
  const shortcut = isStraight ? undefined : scoped('conv_shortcut', conv({ inputs, outputs, kernel: 1, axes }));

  const normalized = (params: ResnetBlockParams, h: Tensor, vector: Tensor | null): Tensor => {
    if (!project) return norm2.apply(params.norm2, h);
    if (!vector)
      throw new UserError(
        `[nn/resnetBlock] conditioning vector is missing: embedding=${embedding}. Pass a tensor [N, ${embedding}], or make the `
          + 'block with embedding: null.',
      );
    const e = project.apply(params.time_emb_proj!, config.embeddingAs === 'given' ? vector : act(vector));
    const perChannel = reshape(e, [e.shape[0]!, e.shape[1]!, ...new Array<number>(axes).fill(1)]);
    if (conditioning === 'add') return norm2.apply(params.norm2, add(h, perChannel));
    const [scale, shift] = split(perChannel, 2, 1) as [Tensor, Tensor];
    return add(mul(norm2.apply(params.norm2, h), add(scale, 1)), shift);
  };

  return defineModule({
    init(generator: Generator): ResnetBlockParams {
      return {
        norm1: norm1.init(generator),
        conv1: conv1.init(generator),
        ...(project && { time_emb_proj: project.init(generator) }),
        norm2: norm2.init(generator),
        conv2: conv2.init(generator),
        ...(shortcut && { conv_shortcut: shortcut.init(generator) }),
      };
    },
    apply(params: ResnetBlockParams, x: Tensor, { embedding: vector, mode }: ResnetBlockInputs) {
      const first = conv1.apply(params.conv1, resample(act(norm1.apply(params.norm1, x))));
      const second = conv2.apply(params.conv2, drop.apply({}, act(normalized(params, first, vector)), mode));
      const same = resample(x);
      const sum = add(shortcut ? shortcut.apply(params.conv_shortcut!, same) : same, second);
      return outputScale === 1 ? sum : div(sum, outputScale);
    },
  });
}
