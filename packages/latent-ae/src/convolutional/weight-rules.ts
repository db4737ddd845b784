import type { WeightRename, WeightRules } from '@langevin/nn';
import { reshape, type Tensor } from '@langevin/tensor';

/** Where the attention of the middle lies in files of every age. */
const ATTENTION = String.raw`((?:encoder|decoder)\.mid_block\.attentions\.0)`;

/** Projections that are convolutions of one pixel in some files. */
function flattened(stored: Tensor): Tensor {
  return stored.rank === 4 && stored.shape[2] === 1 && stored.shape[3] === 1 ? reshape(stored, stored.shape.slice(0, 2)) : stored;
}

function spelling(from: string, to: string, reason: string): WeightRename {
  return { pattern: new RegExp(`${ATTENTION}\\.${from}\\.(weight|bias)`, 'u'), becomes: `$1.${to}.$2`, values: flattened, reason };
}

const EARLY = 'before diffusers 0.17';
const LDM = 'as latent diffusion has it';

/** What files of weights spell otherwise: the attention of the middle has had four sets of names. */
export const convolutionalWeightRules: WeightRules = {
  renames: [
    spelling('query', 'to_q', EARLY),
    spelling('key', 'to_k', EARLY),
    spelling('value', 'to_v', EARLY),
    spelling('proj_attn', 'to_out.0', EARLY),
    spelling('q', 'to_q', LDM),
    spelling('k', 'to_k', LDM),
    spelling('v', 'to_v', LDM),
    spelling('proj_out', 'to_out.0', LDM),
    spelling('norm', 'group_norm', LDM),
  ],
};
