import { conv, defineModule, linear, scoped, type ConvParams, type Layer, type LinearParams } from '@langevin/nn';
import { add, concat, div, matmul, relu, reshape, split, sum, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { channelNorm, type ChannelNormKind, type ChannelNormParams } from './norm.ts';

export interface LinearAttentionConfig {
  readonly channels: number;
  readonly headSize: number;
  /** Sides of the windows that further queries, keys and values are gathered from. */
  readonly scales: readonly number[];
  readonly norm: ChannelNormKind;
}

/** Names of diffusers. */
export interface LinearAttentionParams {
  readonly to_q: LinearParams;
  readonly to_k: LinearParams;
  readonly to_v: LinearParams;
  readonly to_qkv_multiscale: readonly { readonly proj_in: ConvParams; readonly proj_out: ConvParams }[];
  readonly to_out: LinearParams;
  readonly norm_out: ChannelNormParams;
}

/** What a sum of weights is at least, where every product of ReLUs is 0: diffusers'. */
const EPSILON = 1e-15;

/**
 * Attention over the pixels of [N, C, H, W] whose weights are products of ReLUs, so that keys and values are summed up once for all
 * queries:
 * `SanaMultiscaleLinearAttention` of diffusers, of EfficientViT (Cai et al. 2023, arXiv:2205.14756, sec. 3.1). Its cost is linear in the
 * number of pixels. It is added to the input.
 *
 * Heads are cut from the list of all queries, keys and values, three times `headSize` channels each, as in the published weights.
 */
export function linearAttention({ channels, headSize, scales, norm }: LinearAttentionConfig): Layer<LinearAttentionParams> {
  const heads = Math.floor(channels / headSize);
  const inner = heads * headSize;
  const project = (name: string) => scoped(name, linear({ inputs: channels, outputs: inner, bias: 'none' }));
  const [toQ, toK, toV] = [project('to_q'), project('to_k'), project('to_v')];
  const windows = scales.map((kernel, i) => ({
    projIn: scoped(
      `to_qkv_multiscale.${i}.proj_in`,
      conv({ inputs: 3 * inner, outputs: 3 * inner, kernel, padding: Math.floor(kernel / 2), groups: 3 * inner, bias: 'none' }),
    ),
    projOut: scoped(
      `to_qkv_multiscale.${i}.proj_out`,
      conv({ inputs: 3 * inner, outputs: 3 * inner, kernel: 1, groups: 3 * heads, bias: 'none' }),
    ),
  }));
  const toOut = scoped('to_out', linear({ inputs: inner * (1 + scales.length), outputs: channels, bias: 'none' }));
  const normOut = scoped('norm_out', channelNorm(norm, channels));
  return defineModule({
    init: (generator: Generator): LinearAttentionParams => ({
      to_q: toQ.init(generator),
      to_k: toK.init(generator),
      to_v: toV.init(generator),
      to_qkv_multiscale: windows.map(({ projIn, projOut }) => ({ proj_in: projIn.init(generator), proj_out: projOut.init(generator) })),
      to_out: toOut.init(generator),
      norm_out: normOut.init(generator),
    }),
    apply(params: LinearAttentionParams, x: Tensor) {
      const [n, , height, width] = x.shape as readonly [number, number, number, number];
      const pixels = transpose(x, [0, 2, 3, 1]);
      const all = concat([toQ.apply(params.to_q, pixels), toK.apply(params.to_k, pixels), toV.apply(params.to_v, pixels)], 3);
      const own = transpose(all, [0, 3, 1, 2]); // [N, 3 inner, H, W]
      const gathered = windows.map(({ projIn, projOut }, i) => {
        const { proj_in, proj_out } = params.to_qkv_multiscale[i]!;
        return projOut.apply(proj_out, projIn.apply(proj_in, own));
      });
      const cut = reshape(concat([own, ...gathered], 1), [n, -1, 3 * headSize, height * width]);
      const [q, k, v] = split(cut, 3, 2) as [Tensor, Tensor, Tensor]; // each [N, heads, headSize, H W]
      const mixed = reshape(attended({ q: relu(q), k: relu(k), v }), [n, -1, height, width]);
      const out = transpose(toOut.apply(params.to_out, transpose(mixed, [0, 2, 3, 1])), [0, 3, 1, 2]);
      return add(normOut.apply(params.norm_out, out), x);
    },
  });
}

/** sum_j v_j (k_j q_i) / sum_j (k_j q_i), with the sums over j first. */
function attended({ q, k, v }: { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor }): Tensor {
  const values = matmul(matmul(v, k, { transposeB: true }), q);
  const weights = matmul(sum(k, { axes: [3], dims: 'keep' }), q, { transposeA: true });
  return div(values, add(weights, EPSILON));
}
