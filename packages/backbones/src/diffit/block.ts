import { add, reshape, silu, transpose, type Generator, type Tensor } from '@langevin/tensor';
import {
  conv,
  defineModule,
  groupNorm,
  layerNorm,
  scoped,
  tapped,
  type ConvParams,
  type Module,
  type NormParams,
  type Taps,
} from '@langevin/nn';
import { mlp, type MlpParams } from '../vit/vit.ts';
import { timeAttention, type TimeAttentionConfig, type TimeAttentionParams } from './time-attention.ts';

export interface DiffitBlockConfig extends TimeAttentionConfig {
  /** Features of the perceptron. */
  readonly hidden: number;
  /** Of the norm before the convolution. */
  readonly groups: number;
}

export interface DiffitBlockParams {
  readonly norm: NormParams;
  readonly conv: ConvParams;
  readonly norm1: NormParams;
  readonly attn: TimeAttentionParams;
  readonly norm2: NormParams;
  readonly mlp: MlpParams;
}

/**
 * A residual block of DiffiT: h = Conv3x3(Swish(GroupNorm(x))) through a transformer block whose attention depends on time, added to x.
 * Hatamizadeh et al. 2023 (arXiv:2312.02139), eqs. 1, 2, 8 and 9.
 *
 * `apply(params, x [N, width, H, W], { time [N, time], taps? })` gives [N, width, H, W].
 */
export function diffitBlock(
  config: DiffitBlockConfig,
): Module<DiffitBlockParams, readonly [x: Tensor, told: { readonly time: Tensor; readonly taps?: Taps | undefined }], Tensor> {
  const { width, hidden, groups } = config;
  const norm = scoped('norm', groupNorm({ channels: width, groups }));
  const mix = scoped('conv', conv({ inputs: width, outputs: width, kernel: 3, padding: 1 }));
  const tokenNorm = layerNorm({ channels: width, epsilon: 1e-5 });
  const attn = scoped('attn', timeAttention(config));
  const perceptron = scoped('mlp', mlp({ width, hidden, init: {} }));
  return defineModule({
    init: (generator: Generator): DiffitBlockParams => ({
      norm: norm.init(generator),
      conv: mix.init(generator),
      norm1: tokenNorm.init(generator),
      attn: attn.init(generator),
      norm2: tokenNorm.init(generator),
      mlp: perceptron.init(generator),
    }),
    apply(params: DiffitBlockParams, x: Tensor, { time, taps }) {
      const [n, , rows, columns] = x.shape as readonly [number, number, number, number];
      const mixed = mix.apply(params.conv, silu(norm.apply(params.norm, x)));
      const tokens = transpose(reshape(mixed, [n, width, rows * columns]), [0, 2, 1]);
      const told = { time, grid: [rows, columns] as const, taps };
      const seen = add(tokens, tapped(taps, 'attn', attn.apply(params.attn, tokenNorm.apply(params.norm1, tokens), told)));
      const made = add(seen, perceptron.apply(params.mlp, tokenNorm.apply(params.norm2, seen)));
      return add(x, reshape(transpose(made, [0, 2, 1]), x.shape));
    },
  });
}
