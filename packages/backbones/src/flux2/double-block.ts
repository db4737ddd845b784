import { type Generator, type Tensor } from '@langevin/tensor';
import {
  defineModule,
  gated,
  jointAttention,
  layerNorm,
  listener,
  modulate,
  scoped,
  tapped,
  type JointAttentionParams,
  type Module,
  type RotaryTable,
  type Taps,
} from '@langevin/nn';
import type { Streams } from '../joint/joint-block.ts';
import { swiglu, type SwigluParams } from './swiglu.ts';

/** Sizes of both kinds of blocks. */
export interface BlockConfig {
  readonly width: number;
  readonly heads: number;
  readonly headSize: number;
  /** Features of the feed-forward. */
  readonly hidden: number;
  /** Of all norms. */
  readonly epsilon: number;
}

/** Names of diffusers. */
export interface DoubleBlockParams {
  readonly attn: JointAttentionParams;
  readonly ff: SwigluParams;
  readonly ff_context: SwigluParams;
}

/** Shift, scale and gate around attention, then around the feed-forward; [N, width] each. */
export type Six = readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

/** What goes through a block beside its tokens. */
export interface DoubleFlow {
  readonly picture: Six;
  readonly text: Six;
  readonly rotary: RotaryTable;
  /** bool [N, 1, 1, S + L], where some tokens of the text are none. */
  readonly mask?: Tensor | undefined;
  /** Listens at `attn` and `ff` (the picture's), `attn.text`, and `attn.weights` [N, heads, S + L, S + L]. */
  readonly taps?: Taps | undefined;
}

/**
 * Text and picture with weights of their own and one attention over both, as in MM-DiT, but told the time by vectors that all blocks share,
 * and without biases: diffusers' `Flux2TransformerBlock`.
 *
 * `apply(params, { x [N, L, width], text [N, S, width] }, flow)` gives both streams.
 */
export function doubleBlock(config: BlockConfig): Module<DoubleBlockParams, readonly [streams: Streams, flow: DoubleFlow], Streams> {
  const { width, heads, headSize, hidden, epsilon } = config;
  const attn = scoped(
    'attn',
    jointAttention({ channels: width, heads, headSize, normalize: 'rms', epsilon, bias: 'none', drawnAs: 'FluxAttention' }),
  );
  const ff = scoped('ff', swiglu({ width, hidden }));
  const ffText = scoped('ff_context', swiglu({ width, hidden }));
  const plain = layerNorm({ channels: width, epsilon, affine: 'none' });
  const norm = (x: Tensor, shift: Tensor, scale: Tensor): Tensor => modulate(plain.apply({}, x), { shift, scale });
  return defineModule({
    init: (generator: Generator): DoubleBlockParams => ({
      attn: attn.init(generator),
      ff: ff.init(generator),
      ff_context: ffText.init(generator),
    }),
    apply(params: DoubleBlockParams, { x, text }: Streams, { picture: own, text: its, rotary, mask, taps }: DoubleFlow) {
      const gathered = attn.apply(params.attn, {
        x: norm(x, own[0], own[1]),
        context: norm(text, its[0], its[1]),
        rotary,
        mask,
        weights: listener(taps, 'attn.weights'),
      });
      const h = gated(x, { gate: own[2], branch: tapped(taps, 'attn', gathered.x) });
      const t = gated(text, { gate: its[2], branch: tapped(taps, 'attn.text', gathered.context!) });
      const made = tapped(taps, 'ff', ff.apply(params.ff, norm(h, own[3], own[4])));
      const madeText = ffText.apply(params.ff_context, norm(t, its[3], its[4]));
      return { x: gated(h, { gate: own[5], branch: made }), text: gated(t, { gate: its[5], branch: madeText }) };
    },
  });
}
