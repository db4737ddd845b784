import { add, expandDims, mul, silu, split, type Generator, type Tensor } from '@langevin/tensor';
import {
  activation,
  attention,
  constant,
  defineModule,
  dropout,
  layerNorm,
  linear,
  scoped,
  xavierUniform,
  type AttentionParams,
  type LinearInit,
  type LinearParams,
  type Mode,
  type Module,
  type NoParams,
  type NormParams,
} from '@langevin/nn';
import type { DitConfig } from './config.ts';
import type { ConditioningParams } from './conditioning.ts';

/** Names of diffusers. */
export interface DitBlockParams {
  readonly norm1: {
    /** In every block, or in block 0 only, where it is shared. */
    readonly emb?: ConditioningParams;
    readonly linear: LinearParams;
  };
  readonly attn1: AttentionParams;
  readonly norm3?: NormParams;
  readonly ff: { readonly net: readonly [{ readonly proj: LinearParams }, NoParams, LinearParams] };
}

/** x (1 + scale) + shift for each item: x [N, L, D], the others [N, D]. */
export function modulate(x: Tensor, by: { readonly scale: Tensor; readonly shift: Tensor }): Tensor {
  return add(mul(x, expandDims(add(by.scale, 1), 1)), expandDims(by.shift, 1));
}

/** How the layers of the paper's code start: Xavier's weights, no biases; and nothing at all where a block is to start as the identity. */
export const XAVIER: LinearInit = { weightInit: xavierUniform(), biasInit: constant(0) };
export const ZERO: LinearInit = { weightInit: constant(0), biasInit: constant(0) };
/** The paper's code has queries, keys and values in one matrix [3 D, D], whose bound is smaller by sqrt(2). */
const FUSED_XAVIER: LinearInit = { weightInit: xavierUniform(Math.SQRT1_2), biasInit: constant(0) };

/** What goes through a block. */
interface BlockFlow {
  /** Tokens [N, L, D]. */
  readonly x: Tensor;
  /** [N, D]: time and class, embedded. */
  readonly condition: Tensor;
  readonly mode?: Mode | undefined;
}

/**
 * Attention and a perceptron, whose normalisations and residual branches are scaled by the conditioning vector: adaLN-Zero. Peebles and
 * Xie 2023, sec. 3.2.
 *
 * `apply(params, { x [N, L, D], condition [N, D], mode? })` gives [N, L, D].
 */
export function ditBlock(
  config: DitConfig,
  init: 'paper' | 'torch',
): Module<Omit<DitBlockParams, 'norm1'> & { readonly norm1: { readonly linear: LinearParams } }, readonly [flow: BlockFlow], Tensor> {
  const { numAttentionHeads: heads, attentionHeadDim: headSize, dropout: rate, normEps, attentionBias } = config;
  const width = heads * headSize;
  const paper = init === 'paper';
  const modulation = scoped('norm1.linear', linear({ inputs: width, outputs: 6 * width, ...(paper && ZERO) }));
  const norm1 = layerNorm({ channels: width, epsilon: 1e-6, affine: 'none' });
  const attn1 = scoped(
    'attn1',
    attention({
      channels: width,
      heads,
      headSize,
      bias: attentionBias ? 'learned' : 'none',
      dropout: rate,
      ...(paper && { inInit: FUSED_XAVIER, outInit: XAVIER }),
    }),
  );
  const norm3 = scoped(
    'norm3',
    layerNorm({ channels: width, epsilon: normEps, affine: config.normElementwiseAffine ? 'learned' : 'none' }),
  );
  const widen = scoped('ff.net.0.proj', linear({ inputs: width, outputs: 4 * width, ...(paper && XAVIER) }));
  const act = activation(config.activationFn);
  const drop = dropout(rate);
  const narrow = scoped('ff.net.2', linear({ inputs: 4 * width, outputs: width, ...(paper && XAVIER) }));
  return defineModule({
    init(generator: Generator) {
      const norm = { linear: modulation.init(generator) };
      const attn = attn1.init(generator);
      return {
        norm1: norm,
        attn1: attn,
        ...(config.normElementwiseAffine && { norm3: norm3.init(generator) }),
        ff: { net: [{ proj: widen.init(generator) }, {}, narrow.init(generator)] as const },
      };
    },
    apply(
      params: Omit<DitBlockParams, 'norm1'> & { readonly norm1: { readonly linear: LinearParams } },
      { x, condition, mode }: BlockFlow,
    ) {
      const vectors = split(modulation.apply(params.norm1.linear, silu(condition)), 6, 1);
      const [shiftAttention, scaleAttention, gateAttention, shiftMlp, scaleMlp, gateMlp] = vectors as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ];
      const attended = attn1.apply(
        params.attn1,
        modulate(norm1.apply({}, x), { scale: scaleAttention, shift: shiftAttention }),
        mode ? { mode } : {},
      );
      const h = add(x, mul(expandDims(gateAttention, 1), attended));
      const [{ proj }, , last] = params.ff.net;
      const hidden = act.apply({}, widen.apply(proj, modulate(norm3.apply(params.norm3 ?? {}, h), { scale: scaleMlp, shift: shiftMlp })));
      return add(h, mul(expandDims(gateMlp, 1), narrow.apply(last, drop.apply({}, hidden, mode))));
    },
  });
}
