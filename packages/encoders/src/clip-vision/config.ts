import { readJsonConfig, type ConfigOf } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { integer, number, oneOf } from '@langevin/tensor/fields';
import { withNotes } from '../transformers-notes.ts';

const WHERE = 'encoders/clip-vision';

const size = { atLeast: 1, atMost: 65_536 };

/** Keys, defaults and bounds of transformers' `CLIPVisionConfig`. */
const fields = {
  hidden_size: integer(768, size),
  intermediate_size: integer(3072, size),
  projection_dim: integer(512, size),
  num_hidden_layers: integer(12, { atLeast: 1, atMost: 200 }),
  num_attention_heads: integer(12, { atLeast: 1, atMost: 1024 }),
  num_channels: integer(3, { atLeast: 1, atMost: 16 }),
  image_size: integer(224, { atLeast: 1, atMost: 8192 }),
  patch_size: integer(32, { atLeast: 1, atMost: 1024 }),
  hidden_act: oneOf('quick_gelu', ['quick_gelu', 'gelu', 'gelu_new', 'relu', 'silu']),
  layer_norm_eps: number(1e-5, { atLeast: 0, atMost: 1 }),
};

/** The configuration of {@link clipVision}, the one of transformers' `CLIPVisionConfig` with keys in camelCase. */
export type ClipVisionConfig = ConfigOf<typeof fields>;

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseClipVisionConfig(json: unknown): ClipVisionConfig {
  const config = readJsonConfig(json, withNotes(fields), { where: WHERE, className: 'CLIPVisionModelWithProjection' });
  const { hiddenSize, numAttentionHeads: heads, imageSize, patchSize } = config;
  if (hiddenSize % heads !== 0)
    throw new UserError(
      `[${WHERE}] heads do not divide the features: num_attention_heads=${heads}, hidden_size=${hiddenSize}. Choose a divisor.`,
    );
  if (patchSize > imageSize)
    throw new UserError(
      `[${WHERE}] a patch is larger than the picture: patch_size=${patchSize}, image_size=${imageSize}. Make it smaller.`,
    );
  return config;
}
