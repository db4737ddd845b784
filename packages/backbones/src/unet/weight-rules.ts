import type { WeightRules } from '@langevin/nn';

const OLD = 'before diffusers 0.15';

/** What files of weights of U-Nets spell otherwise: attention among pixels had layers of other names once. */
export const unetWeightRules: WeightRules = {
  renames: [
    { pattern: /(.*\.attentions\.\d+)\.query\.(weight|bias)/u, becomes: '$1.to_q.$2', reason: OLD },
    { pattern: /(.*\.attentions\.\d+)\.key\.(weight|bias)/u, becomes: '$1.to_k.$2', reason: OLD },
    { pattern: /(.*\.attentions\.\d+)\.value\.(weight|bias)/u, becomes: '$1.to_v.$2', reason: OLD },
    { pattern: /(.*\.attentions\.\d+)\.proj_attn\.(weight|bias)/u, becomes: '$1.to_out.0.$2', reason: OLD },
  ],
};
