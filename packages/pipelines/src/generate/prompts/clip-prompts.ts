import { tokenBatch } from '@langevin/encoders';
import { inFloat32 } from '@langevin/nn';
import { compile, UserError, type Engine, type Tensor } from '@langevin/tensor';
import type { TextPart } from './add-embeddings.ts';

/** What CLIP makes of some texts. */
export interface ClipFeatures {
  /** Of each token, [N, L, size]. */
  readonly text: Tensor;
  readonly pooled: Tensor;
  /** What of each text did not fit. */
  readonly lost: readonly string[];
}

export interface ClipPromptOptions {
  readonly text: TextPart;
  /**
   * Which features: those behind the last norm; or those of a layer before, counted from the end (1 is the last but one), behind the same
   * norm or as they are.
   */
  readonly norm: 'always' | 'last';
  readonly engine?: Engine;
}

/** The encoding of texts by CLIP, compiled once for each number of texts. */
export function clipPrompts({ text: { tokenizer, ...encoder }, norm, engine }: ClipPromptOptions) {
  const { length, layers } = encoder.module.info;
  const encode = compile(
    (params: unknown, ids: Tensor) => {
      const { last, states, normalised, pooled } = encoder.module.apply(inFloat32(params), ids);
      return { last, layers: norm === 'always' ? states.map(normalised) : states, pooled: pooled! };
    },
    { freeze: [0], name: 'text encoder', ...(engine && { engine }) },
  );
  return Object.freeze({
    /** @param skip layers left out, from the end; 0 is the last one, with its norm */
    encode: async (texts: readonly string[], skip: number): Promise<ClipFeatures> => {
      if (skip > layers)
        throw new UserError(
          `[pipelines/generate] text encoder has fewer layers: clipSkip=${skip}, layers=${layers}. Leave out at most ${layers}.`,
        );
      const { ids, lost } = tokenBatch(texts, { tokenizer, length: Math.min(tokenizer.length, length ?? tokenizer.length) });
      const { last, layers: all, pooled } = await encode(encoder.params as never, ids as never);
      return { text: skip === 0 ? last : all.at(-1 - skip)!, pooled, lost };
    },
    dispose: () => encode.dispose(),
  });
}

/** What a user should know of texts that did not fit, each once. */
export function lostNotes(lost: readonly string[], length: number): readonly string[] {
  return [...new Set(lost)].filter((text) => text !== '').map((text) => `text did not fit into ${length} tokens and was cut: "${text}"`);
}

/** No text is the empty one. */
export function textsOf(texts: readonly (string | undefined)[]): readonly string[] {
  return texts.map((text) => text ?? '');
}
