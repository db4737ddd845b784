import type { WeightRules } from '@langevin/nn';

/** What files of weights of T5 spell otherwise, and what they have of its decoder. */
export const t5WeightRules: WeightRules = {
  renames: [
    {
      pattern: /encoder\.embed_tokens\.weight/u,
      becomes: 'shared.weight',
      ifBoth: 'ignored',
      reason: 'the encoder and the decoder of T5 share their table of tokens, and files have it under either name',
    },
  ],
  ignored: [{ pattern: /(?:decoder\..*|lm_head\.weight)/u, reason: 'the decoder of T5 takes no part in reading a text' }],
};
