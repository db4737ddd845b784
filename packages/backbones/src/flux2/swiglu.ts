import { mul, silu, split, type Generator, type Tensor } from '@langevin/tensor';
import { defineModule, linear, scoped, type Layer, type LinearParams } from '@langevin/nn';

/** Names of diffusers. */
export interface SwigluParams {
  readonly linear_in: LinearParams;
  readonly linear_out: LinearParams;
}

/** [..., 2 hidden] to [..., hidden]: the first half, through SiLU, times the second (Shazeer 2020, arXiv:2002.05202). */
export function swigluOf(wide: Tensor): Tensor {
  const [gate, values] = split(wide, 2, -1) as [Tensor, Tensor];
  return mul(silu(gate), values);
}

/** The gated feed-forward of Flux.2 [..., width] to [..., width], without biases: diffusers' `Flux2FeedForward`. */
export function swiglu({ width, hidden }: { readonly width: number; readonly hidden: number }): Layer<SwigluParams> {
  const widen = scoped('linear_in', linear({ inputs: width, outputs: 2 * hidden, bias: 'none' }));
  const narrow = scoped('linear_out', linear({ inputs: hidden, outputs: width, bias: 'none' }));
  return defineModule({
    init: (generator: Generator): SwigluParams => ({ linear_in: widen.init(generator), linear_out: narrow.init(generator) }),
    apply: (params: SwigluParams, x: Tensor) => narrow.apply(params.linear_out, swigluOf(widen.apply(params.linear_in, x))),
  });
}
