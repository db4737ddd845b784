import { tokenBatch } from '@langevin/encoders';
import { inFloat32 } from '@langevin/nn';
import { compile, type Engine, type Tensor } from '@langevin/tensor';
import type { TextPart } from './add-embeddings.ts';

/** What T5 makes of some texts. */
export interface T5Features {
  /** Of each token, [N, L, size]. */
  readonly text: Tensor;
  /** Bool [N, L]: where there is a token. */
  readonly mask: Tensor;
  /** What of each text did not fit. */
  readonly lost: readonly string[];
}

export interface T5PromptOptions {
  readonly text: TextPart;
  /** Tokens of each text, filled up or cut. */
  readonly length: number;
  /** Whether tokens attend to those that fill a text up, as the network that reads them was trained. */
  readonly filling: 'read' | 'masked';
  readonly engine?: Engine;
}

/** The encoding of texts by T5, compiled once for each number of texts. */
export function t5Prompts({ text: { tokenizer, ...encoder }, length, filling, engine }: T5PromptOptions) {
  const encode = compile(
    (params: unknown, ids: Tensor, mask: Tensor) => encoder.module.apply(inFloat32(params), ids, filling === 'masked' ? { mask } : {}).last,
    { freeze: [0], name: 'T5', ...(engine && { engine }) },
  );
  return Object.freeze({
    length,
    encode: async (texts: readonly string[]): Promise<T5Features> => {
      const { ids, mask, lost } = tokenBatch(texts, { tokenizer, length });
      return { text: await encode(encoder.params as never, ids as never, mask as never), mask, lost };
    },
    dispose: () => encode.dispose(),
  });
}
