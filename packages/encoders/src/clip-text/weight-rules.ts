import type { WeightRules } from '@langevin/nn';

/** What files of weights of CLIP's text encoder spell otherwise. */
export const clipTextWeightRules: WeightRules = {
  renames: [
    {
      pattern: /((?:embeddings|encoder|final_layer_norm)\..*)/u,
      becomes: 'text_model.$1',
      reason: 'as transformers 5.6 and newer save CLIPTextModel, without its prefix',
    },
  ],
  ignored: [
    {
      pattern: /(?:text_model\.)?embeddings\.position_ids/u,
      reason: 'positions are 0, 1, 2 and so on; programs that merge or convert files have damaged them',
    },
  ],
};
