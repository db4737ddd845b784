import type { Generator, Tensor } from '@langevin/tensor';
import {
  attention,
  constant,
  defineModule,
  feedForward,
  gated,
  layerNorm,
  modulate,
  modulation,
  scoped,
  xavierUniform,
  type AttentionParams,
  type FeedForwardParams,
  type LinearInit,
  type LinearParams,
  type Mode,
  type ModulationParams,
  type Module,
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
  readonly ff: FeedForwardParams;
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
): Module<Omit<DitBlockParams, 'norm1'> & { readonly norm1: ModulationParams }, readonly [flow: BlockFlow], Tensor> {
  const { numAttentionHeads: heads, attentionHeadDim: headSize, dropout, normEps, attentionBias } = config;
  const width = heads * headSize;
  const paper = init === 'paper';
  const vectors = scoped('norm1', modulation({ channels: width, parts: 6, ...(paper && { init: ZERO }) }));
  const norm1 = layerNorm({ channels: width, epsilon: 1e-6, affine: 'none' });
  const attn1 = scoped(
    'attn1',
    attention({
      channels: width,
      heads,
      headSize,
      bias: attentionBias ? 'learned' : 'none',
      dropout,
      ...(paper && { inInit: FUSED_XAVIER, outInit: XAVIER }),
    }),
  );
  const norm3 = scoped(
    'norm3',
    layerNorm({ channels: width, epsilon: normEps, affine: config.normElementwiseAffine ? 'learned' : 'none' }),
  );
  const ff = scoped('ff', feedForward({ channels: width, activation: config.activationFn, dropout, ...(paper && { init: XAVIER }) }));
  return defineModule({
    init(generator: Generator) {
      const norm = vectors.init(generator);
      const attn = attn1.init(generator);
      return {
        norm1: norm,
        attn1: attn,
        ...(config.normElementwiseAffine && { norm3: norm3.init(generator) }),
        ff: ff.init(generator),
      };
    },
    apply(params: Omit<DitBlockParams, 'norm1'> & { readonly norm1: ModulationParams }, { x, condition, mode }: BlockFlow) {
      type Six = readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
      const [shiftAttention, scaleAttention, gateAttention, shiftMlp, scaleMlp, gateMlp] = vectors.apply(params.norm1, condition) as Six;
      const normal = modulate(norm1.apply({}, x), { scale: scaleAttention, shift: shiftAttention });
      const h = gated(x, { gate: gateAttention, branch: attn1.apply(params.attn1, normal, mode ? { mode } : {}) });
      const ready = modulate(norm3.apply(params.norm3 ?? {}, h), { scale: scaleMlp, shift: shiftMlp });
      return gated(h, { gate: gateMlp, branch: ff.apply(params.ff, ready, mode) });
    },
  });
}
