import { gelu, mul, readOptions, sigmoid, silu, split, type Generator, type Tensor } from '@langevin/tensor';
import { dropout } from '../layers/dropout.ts';
import { linear, type LinearInit, type LinearParams } from '../layers/linear.ts';
import type { Mode } from '../mode.ts';
import { defineModule, scoped, type Module, type NoParams } from '../module.ts';

const tanhGelu = (x: Tensor): Tensor => gelu(x, { approximation: 'tanh' });

/**
 * What stands between the two layers of a feed-forward, by the name that configurations have for it. `gated` ones make twice the features
 * and multiply one half with the other after its activation (Shazeer 2020, arXiv:2002.05202).
 */
const BETWEEN = {
  gelu: { gated: false, act: (x: Tensor) => gelu(x) },
  'gelu-approximate': { gated: false, act: tanhGelu },
  'linear-silu': { gated: false, act: silu },
  // x sigmoid(1.702 x), which diffusers calls so although it is neither gated nor the tanh form.
  'geglu-approximate': { gated: false, act: (x: Tensor) => mul(x, sigmoid(mul(x, 1.702))) },
  geglu: { gated: true, act: (x: Tensor) => gelu(x) },
  swiglu: { gated: true, act: silu },
} as const;

/** Activations of {@link feedForward}, by the name they have in configurations. */
export type FeedForwardActivation = keyof typeof BETWEEN;
export const feedForwardActivations = Object.freeze(Object.keys(BETWEEN)) as readonly FeedForwardActivation[];

export interface FeedForwardConfig {
  readonly channels: number;
  /** @default channels */
  readonly outputs?: number;
  /** Features between the two layers. @default 4 channels */
  readonly hidden?: number;
  /** @default 'geglu', diffusers' */
  readonly activation?: FeedForwardActivation;
  /** Of the features between, in training. @default 0 */
  readonly dropout?: number;
  /** @default 'learned' */
  readonly bias?: 'learned' | 'none';
  /** How both layers start. @default PyTorch's */
  readonly init?: LinearInit;
}

/** Names of diffusers: entry 1 is the dropout. */
export interface FeedForwardParams {
  readonly net: readonly [{ readonly proj: LinearParams }, NoParams, LinearParams];
}

/**
 * Two linear layers around an activation or a gate, over the last axis: diffusers' `FeedForward`.
 *
 * `apply(params, x [..., channels], mode?)` gives [..., outputs].
 *
 * @example
 * const layer = feedForward({ channels: 8 });
 * layer.apply(layer.init(torchGenerator(0)), ones([1, 5, 8])).shape; // => [1, 5, 8]
 */
export function feedForward(given: FeedForwardConfig): Module<FeedForwardParams, readonly [x: Tensor, mode?: Mode], Tensor> {
  const config = readOptions('nn/feedForward', given);
  const { channels, outputs = channels, hidden = 4 * channels, bias = 'learned', init } = config;
  const { gated, act } = BETWEEN[config.activation ?? 'geglu'];
  const widen = scoped('net.0.proj', linear({ inputs: channels, outputs: gated ? 2 * hidden : hidden, bias, ...init }));
  const drop = dropout(config.dropout ?? 0);
  const narrow = scoped('net.2', linear({ inputs: hidden, outputs, bias, ...init }));
  return defineModule({
    init: (generator: Generator): FeedForwardParams => ({ net: [{ proj: widen.init(generator) }, {}, narrow.init(generator)] }),
    apply({ net: [{ proj }, , last] }: FeedForwardParams, x: Tensor, mode?: Mode) {
      const wide = widen.apply(proj, x);
      const between = (): Tensor => {
        if (!gated) return act(wide);
        const [values, gate] = split(wide, 2, -1) as [Tensor, Tensor];
        return mul(values, act(gate));
      };
      return narrow.apply(last, drop.apply({}, between(), mode));
    },
  });
}
