import { type Generator, type Tensor } from '@langevin/tensor';
import {
  adaLayerNormContinuous,
  defineModule,
  feedForward,
  gated,
  jointAttention,
  layerNorm,
  listener,
  modulate,
  modulation,
  scoped,
  tapped,
  type FeedForwardParams,
  type JointAttentionConfig,
  type JointAttentionParams,
  type ModulationParams,
  type Module,
  type RotaryTable,
  type Taps,
} from '@langevin/nn';

export interface JointBlockConfig extends Pick<JointAttentionConfig, 'normalize' | 'drawnAs'> {
  readonly width: number;
  readonly heads: number;
  readonly headSize: number;
  /** `'last'`: the text is read and goes no further. @default 'inner' */
  readonly place?: 'inner' | 'last';
  /** Whether the picture attends to itself alone as well, as in the first layers of SD 3.5 medium. @default 'joint' */
  readonly attentions?: 'joint' | 'joint and own';
}

/** Names of diffusers. */
export interface JointBlockParams {
  readonly norm1: ModulationParams;
  readonly norm1_context: ModulationParams;
  readonly attn: JointAttentionParams;
  readonly attn2?: JointAttentionParams;
  readonly ff: FeedForwardParams;
  readonly ff_context?: FeedForwardParams;
}

/** The two streams of tokens. */
export interface Streams {
  /** The picture, [N, L, width]. */
  readonly x: Tensor;
  /** The text, [N, S, width]. */
  readonly text: Tensor;
}

/** What goes through a block beside its tokens. */
export interface JointFlow {
  /** [N, width]: time and text as a whole, embedded. */
  readonly condition: Tensor;
  readonly rotary?: RotaryTable | undefined;
  /** bool [N, 1, 1, S + L], where some tokens of the text are none. */
  readonly mask?: Tensor | undefined;
  /** Listens at `attn` and `attn2` (what the picture gathers), `attn.text`, `ff`, and at `attn.weights` [N, heads, S + L, S + L]. */
  readonly taps?: Taps | undefined;
}

type Six = readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
type Nine = readonly [...Six, Tensor, Tensor, Tensor];

/**
 * A block of MM-DiT: text and picture with weights of their own, one attention over both, and a perceptron for each, all modulated by the
 * condition. Esser et al. 2024 (arXiv:2403.03206), fig. 2b; diffusers' `JointTransformerBlock` and `FluxTransformerBlock`.
 *
 * `apply(params, { x [N, L, width], text [N, S, width] }, flow)` gives both streams; behind a last block the text is as it was.
 */
export function jointBlock(config: JointBlockConfig): Module<JointBlockParams, readonly [streams: Streams, flow: JointFlow], Streams> {
  const { width, heads, headSize, place = 'inner', attentions = 'joint' } = config;
  const isLast = place === 'last';
  const isDual = attentions === 'joint and own';
  const shared = {
    channels: width,
    heads,
    headSize,
    ...(config.normalize && { normalize: config.normalize }),
    ...(config.drawnAs && { drawnAs: config.drawnAs }),
  };
  const norm1 = scoped('norm1', modulation({ channels: width, parts: isDual ? 9 : 6 }));
  const norm1Text = scoped('norm1_context', modulation({ channels: width, parts: 6 }));
  const norm1LastText = scoped('norm1_context', adaLayerNormContinuous({ channels: width }));
  const attn = scoped('attn', jointAttention({ ...shared, context: isLast ? 'read-only' : 'joint' }));
  const attn2 = isDual ? scoped('attn2', jointAttention({ ...shared, context: 'none' })) : undefined;
  const ff = scoped('ff', feedForward({ channels: width, activation: 'gelu-approximate' }));
  const ffText = isLast ? undefined : scoped('ff_context', feedForward({ channels: width, activation: 'gelu-approximate' }));
  const norm = layerNorm({ channels: width, epsilon: 1e-6, affine: 'none' });

  return defineModule({
    init: (generator: Generator): JointBlockParams => ({
      norm1: norm1.init(generator),
      norm1_context: (isLast ? norm1LastText : norm1Text).init(generator),
      attn: attn.init(generator),
      ...(attn2 && { attn2: attn2.init(generator) }),
      ff: ff.init(generator),
      ...(ffText && { ff_context: ffText.init(generator) }),
    }),
    apply(params: JointBlockParams, { x, text }: Streams, { condition, rotary, mask, taps }: JointFlow) {
      const own = norm1.apply(params.norm1, condition) as Nine;
      const its = isLast ? undefined : (norm1Text.apply(params.norm1_context, condition) as Six);
      const normal = norm.apply({}, x);
      const gathered = attn.apply(params.attn, {
        x: modulate(normal, { shift: own[0], scale: own[1] }),
        context: its
          ? modulate(norm.apply({}, text), { shift: its[0], scale: its[1] })
          : norm1LastText.apply(params.norm1_context, text, condition),
        rotary,
        mask,
        weights: listener(taps, 'attn.weights'),
      });
      let h = gated(x, { gate: own[2], branch: tapped(taps, 'attn', gathered.x) });
      if (attn2) {
        const alone = attn2.apply(params.attn2!, {
          x: modulate(normal, { shift: own[6], scale: own[7] }),
          weights: listener(taps, 'attn2.weights'),
        });
        h = gated(h, { gate: own[8], branch: tapped(taps, 'attn2', alone.x) });
      }
      const made = ff.apply(params.ff, modulate(norm.apply({}, h), { shift: own[3], scale: own[4] }));
      const picture = gated(h, { gate: own[5], branch: tapped(taps, 'ff', made) });
      if (!its || !ffText) return { x: picture, text };
      const t = gated(text, { gate: its[2], branch: tapped(taps, 'attn.text', gathered.context!) });
      const madeText = ffText.apply(params.ff_context!, modulate(norm.apply({}, t), { shift: its[3], scale: its[4] }));
      return { x: picture, text: gated(t, { gate: its[5], branch: madeText }) };
    },
  });
}
