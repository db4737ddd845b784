import { readJsonConfig, type ConfigOf } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { integer, nullable, number, oneOf } from '@langevin/tensor/fields';
import { withNotes } from '../transformers-notes.ts';

const WHERE = 'encoders/clip-text';

const size = { atLeast: 1, atMost: 65_536 };
const token = { atLeast: 0, atMost: 10_000_000 };
/** Keys, defaults and bounds of transformers' `CLIPTextConfig`. */
const fields = {
  vocab_size: integer(49408, { atLeast: 1, atMost: 10_000_000 }),
  hidden_size: integer(512, size),
  intermediate_size: integer(2048, size),
  projection_dim: integer(512, size),
  num_hidden_layers: integer(12, { atLeast: 1, atMost: 200 }),
  num_attention_heads: integer(8, { atLeast: 1, atMost: 1024 }),
  max_position_embeddings: integer(77, { atLeast: 2, atMost: 100_000 }),
  hidden_act: oneOf('quick_gelu', ['quick_gelu', 'gelu', 'gelu_new', 'relu', 'silu']),
  layer_norm_eps: number(1e-5, { atLeast: 0, atMost: 1 }),
  bos_token_id: nullable(integer(49406, token)),
  eos_token_id: nullable(integer(49407, token)),
};

/** The configuration of {@link clipText}, the one of transformers' `CLIPTextConfig` with keys in camelCase. */
export type ClipTextConfig = ConfigOf<typeof fields>;

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseClipTextConfig(json: unknown): ClipTextConfig {
  const config = readJsonConfig(json, withNotes(fields), { where: WHERE, className: 'CLIPTextModel' });
  if (config.hiddenSize % config.numAttentionHeads !== 0)
    throw new UserError(
      `[${WHERE}] heads do not divide the features: num_attention_heads=${config.numAttentionHeads}, hidden_size=${config.hiddenSize}. `
        + 'Choose a divisor.',
    );
  return config;
}
