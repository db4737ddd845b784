import { activations, defineModule, layerNorm, linear, scoped, type LinearParams, type Module, type NormParams } from '@langevin/nn';
import { add, attention, mul, reshape, sigmoid, transpose, type Generator, type Tensor } from '@langevin/tensor';
import type { ClipTextConfig } from './config.ts';

/** Names of transformers. */
export interface ClipLayerParams {
  readonly self_attn: {
    readonly k_proj: LinearParams;
    readonly v_proj: LinearParams;
    readonly q_proj: LinearParams;
    readonly out_proj: LinearParams;
  };
  readonly layer_norm1: NormParams;
  readonly mlp: { readonly fc1: LinearParams; readonly fc2: LinearParams };
  readonly layer_norm2: NormParams;
}

/** Of OpenAI's CLIP: a gate that a sigmoid of 1.702 x opens. */
const quickGelu = (x: Tensor): Tensor => mul(x, sigmoid(mul(x, 1.702)));

const ACTIVATIONS: Readonly<Record<ClipTextConfig['hiddenAct'], (x: Tensor) => Tensor>> = {
  quick_gelu: quickGelu,
  gelu: activations.gelu,
  gelu_new: activations['gelu-approximate'],
  relu: activations.relu,
  silu: activations.silu,
};

export interface ClipLayerConfig {
  readonly size: number;
  readonly inner: number;
  readonly heads: number;
  readonly epsilon: number;
  readonly activation: ClipTextConfig['hiddenAct'];
}

/** `CLIPEncoderLayer` of transformers: norm, attention among tokens, norm, a network of one hidden layer, each added to what came in. */
export function clipLayer({
  size,
  inner,
  heads,
  epsilon,
  activation,
}: ClipLayerConfig): Module<ClipLayerParams, readonly [x: Tensor, mask: Tensor | undefined], Tensor> {
  const square = (name: string) => scoped(`self_attn.${name}`, linear({ inputs: size, outputs: size }));
  const [toK, toV, toQ, toOut] = [square('k_proj'), square('v_proj'), square('q_proj'), square('out_proj')];
  const before = scoped('layer_norm1', layerNorm({ channels: size, epsilon }));
  const between = scoped('layer_norm2', layerNorm({ channels: size, epsilon }));
  const up = scoped('mlp.fc1', linear({ inputs: size, outputs: inner }));
  const down = scoped('mlp.fc2', linear({ inputs: inner, outputs: size }));
  const act = ACTIVATIONS[activation];
  const toHeads = (t: Tensor): Tensor => transpose(reshape(t, [t.shape[0]!, t.shape[1]!, heads, size / heads]), [0, 2, 1, 3]);
  return defineModule({
    init: (generator: Generator): ClipLayerParams => ({
      self_attn: {
        k_proj: toK.init(generator),
        v_proj: toV.init(generator),
        q_proj: toQ.init(generator),
        out_proj: toOut.init(generator),
      },
      layer_norm1: before.init(generator),
      mlp: { fc1: up.init(generator), fc2: down.init(generator) },
      layer_norm2: between.init(generator),
    }),
    apply(params: ClipLayerParams, x: Tensor, mask: Tensor | undefined) {
      const { k_proj: kProj, v_proj: vProj, q_proj: qProj, out_proj: outProj } = params.self_attn;
      const h = before.apply(params.layer_norm1, x);
      const q = toHeads(toQ.apply(qProj, h));
      const k = toHeads(toK.apply(kProj, h));
      const v = toHeads(toV.apply(vProj, h));
      const mixed = transpose(attention({ q, k, v, mask }), [0, 2, 1, 3]);
      const attended = add(x, toOut.apply(outProj, reshape(mixed, x.shape)));
      const deep = down.apply(params.mlp.fc2, act(up.apply(params.mlp.fc1, between.apply(params.layer_norm2, attended))));
      return add(attended, deep);
    },
  });
}
