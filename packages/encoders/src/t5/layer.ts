import { activations, defineModule, linear, rmsNorm, scoped, type LinearParams, type Module, type NormParams } from '@langevin/nn';
import { add, attention, mul, reshape, transpose, type Generator, type Tensor } from '@langevin/tensor';
import type { T5Config } from './config.ts';

/** Names of transformers. */
export interface T5LayerParams {
  readonly layer: readonly [
    {
      readonly SelfAttention: {
        readonly q: LinearParams;
        readonly k: LinearParams;
        readonly v: LinearParams;
        readonly o: LinearParams;
        /** Of the first layer alone: [buckets, heads]. */
        readonly relative_attention_bias?: { readonly weight: Tensor };
      };
      readonly layer_norm: NormParams;
    },
    {
      readonly DenseReluDense: {
        readonly wi?: LinearParams;
        readonly wi_0?: LinearParams;
        readonly wi_1?: LinearParams;
        readonly wo: LinearParams;
      };
      readonly layer_norm: NormParams;
    },
  ];
}

/** `gated-gelu` stands for the gelu by tanh, as in transformers. */
const ACTS = {
  relu: { gated: false, act: activations.relu },
  gelu: { gated: false, act: activations.gelu },
  'gated-gelu': { gated: true, act: activations['gelu-approximate'] },
  'gated-silu': { gated: true, act: activations.silu },
  'gated-relu': { gated: true, act: activations.relu },
} as const;

/**
 * `T5Block` of transformers: norm, attention among tokens with a bias for their distance and no scale, norm, a network of one hidden layer,
 * each added to what came in. No layer has a bias of its own.
 */
export function t5Layer(config: T5Config): Module<T5LayerParams, readonly [x: Tensor, bias: Tensor], Tensor> {
  const { dModel: size, dKv: headSize, numHeads: heads, dFf: inner, layerNormEpsilon: epsilon } = config;
  const { gated, act } = ACTS[config.feedForwardProj];
  const plain = (name: string, inputs: number, outputs: number) => scoped(name, linear({ inputs, outputs, bias: 'none' }));
  const [toQ, toK, toV] = ['q', 'k', 'v'].map((name) => plain(`layer.0.SelfAttention.${name}`, size, heads * headSize)) as [
    ReturnType<typeof plain>,
    ReturnType<typeof plain>,
    ReturnType<typeof plain>,
  ];
  const toOut = plain('layer.0.SelfAttention.o', heads * headSize, size);
  const widen = plain(`layer.1.DenseReluDense.${gated ? 'wi_0' : 'wi'}`, size, inner);
  const gate = gated ? plain('layer.1.DenseReluDense.wi_1', size, inner) : undefined;
  const narrow = plain('layer.1.DenseReluDense.wo', inner, size);
  const before = scoped('layer.0.layer_norm', rmsNorm({ channels: size, epsilon }));
  const between = scoped('layer.1.layer_norm', rmsNorm({ channels: size, epsilon }));
  return defineModule({
    init: (generator: Generator): T5LayerParams => ({
      layer: [
        {
          SelfAttention: { q: toQ.init(generator), k: toK.init(generator), v: toV.init(generator), o: toOut.init(generator) },
          layer_norm: before.init(generator),
        },
        {
          DenseReluDense: {
            ...(gate === undefined ? { wi: widen.init(generator) } : { wi_0: widen.init(generator), wi_1: gate.init(generator) }),
            wo: narrow.init(generator),
          },
          layer_norm: between.init(generator),
        },
      ],
    }),
    apply({ layer: [first, second] }: T5LayerParams, x: Tensor, bias: Tensor) {
      const [n, length] = x.shape as readonly [number, number, number];
      const toHeads = (t: Tensor): Tensor => transpose(reshape(t, [n, length, heads, headSize]), [0, 2, 1, 3]);
      const { q, k, v, o } = first.SelfAttention;
      const h = before.apply(first.layer_norm, x);
      const mixed = attention({
        q: toHeads(toQ.apply(q, h)),
        k: toHeads(toK.apply(k, h)),
        v: toHeads(toV.apply(v, h)),
        mask: bias,
        scale: 1,
      });
      const attended = add(x, toOut.apply(o, reshape(transpose(mixed, [0, 2, 1, 3]), [n, length, heads * headSize])));
      const { wi, wi_0: first0, wi_1: gateParams, wo } = second.DenseReluDense;
      const normed = between.apply(second.layer_norm, attended);
      const wide = act(widen.apply((wi ?? first0)!, normed));
      return add(attended, narrow.apply(wo, gate === undefined ? wide : mul(wide, gate.apply(gateParams!, normed))));
    },
  });
}
