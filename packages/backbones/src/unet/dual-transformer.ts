import { add, mul, slice, sub, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { defineModule, flowWithin, scoped, transformer2d, type Transformer2dConfig, type Transformer2dParams } from '@langevin/nn';
import type { Flow } from './flow.ts';
import type { AttentionPart } from './stages.ts';

/** Names of diffusers. */
export interface DualTransformerParams {
  readonly transformers: readonly [Transformer2dParams, Transformer2dParams];
}

/** Tokens of a text at the beginning of the context; those of a picture come behind them. */
const TEXT_TOKENS = 77;

/**
 * Two transformers that read two halves of a context, 77 tokens of a text and those of a picture behind them; the mean of what they change.
 * diffusers' `DualTransformer2DModel` as it is made, of Versatile Diffusion (Xu et al. 2022, arXiv:2211.08332).
 */
export function dualTransformerPart(config: Transformer2dConfig): AttentionPart<DualTransformerParams> {
  // The first transformer reads the picture, the second the text.
  const ofPicture = scoped('transformers.0', transformer2d(config));
  const ofText = scoped('transformers.1', transformer2d(config));
  return defineModule({
    init: (generator: Generator): DualTransformerParams => ({ transformers: [ofPicture.init(generator), ofText.init(generator)] }),
    apply({ transformers: [picture, text] }: DualTransformerParams, { x, context, mode, taps, additions }: Flow) {
      const tokens = context!.shape[1]!;
      if (tokens <= TEXT_TOKENS) {
        throw new UserError(
          `[backbones/unet2d-condition] context has no tokens of a picture: text=[${context!.shape.join(', ')}]. With dual_cross_attention `
            + `give ${TEXT_TOKENS} tokens of the text and those of a picture behind them.`,
        );
      }
      const change = (y: Tensor): Tensor => mul(sub(y, x), 0.5);
      const part = (i: number) => flowWithin({ mode, taps, additions }, `transformers.${i}`);
      const told = ofText.apply(text, x, { ...part(1), context: slice(context!, { 1: { stop: TEXT_TOKENS } }) });
      const shown = ofPicture.apply(picture, x, { ...part(0), context: slice(context!, { 1: { start: TEXT_TOKENS } }) });
      return add(add(change(told), change(shown)), x);
    },
  });
}
