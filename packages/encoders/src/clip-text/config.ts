import { readJsonConfig, type ConfigOf } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { integer, nullable, number, oneOf, type Field } from '@langevin/tensor/fields';

const WHERE = 'encoders/clip-text';

const size = { atLeast: 1, atMost: 65_536 };
const token = { atLeast: 0, atMost: 10_000_000 };
/** What says nothing of the network. */
const anything: Field<unknown> = { fallback: null, parse: (value) => ({ value }) };

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

/** Keys that every configuration of transformers may have. */
const NOTES = [
  'architectures',
  'model_type',
  'torch_dtype',
  'dtype',
  'transformers_version',
  'attention_dropout',
  'dropout',
  'initializer_factor',
  'initializer_range',
  'pad_token_id',
  'gradient_checkpointing',
  'tie_word_embeddings',
  'use_attention_mask',
  'is_decoder',
  'return_dict',
  'output_attentions',
  'output_hidden_states',
] as const;

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseClipTextConfig(json: unknown): ClipTextConfig {
  const known = { ...fields, ...Object.fromEntries(NOTES.map((name) => [name, anything])) };
  const config = readJsonConfig(json, known as typeof fields, { where: WHERE, className: 'CLIPTextModel' });
  if (config.hiddenSize % config.numAttentionHeads !== 0)
    throw new UserError(
      `[${WHERE}] heads do not divide the features: num_attention_heads=${config.numAttentionHeads}, hidden_size=${config.hiddenSize}. `
        + 'Choose a divisor.',
    );
  return config;
}
