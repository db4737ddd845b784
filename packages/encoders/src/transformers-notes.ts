import type { Field, FieldTable } from '@langevin/tensor/fields';

/** What says nothing of the network. */
const anything: Field<unknown> = { fallback: null, parse: (value) => ({ value }) };

/** Keys that every configuration of transformers may have. */
const NOTES = [
  'architectures',
  'attention_dropout',
  'bos_token_id',
  'chunk_size_feed_forward',
  'dropout',
  'dtype',
  'eos_token_id',
  'gradient_checkpointing',
  'id2label',
  'initializer_factor',
  'initializer_range',
  'is_decoder',
  'label2id',
  'logit_scale_init_value',
  'model_type',
  'output_attentions',
  'output_hidden_states',
  'pad_token_id',
  'problem_type',
  'return_dict',
  'tie_word_embeddings',
  'torch_dtype',
  'transformers_version',
  'use_attention_mask',
] as const;

/** Fields of a class, and those keys that files of transformers have beside them. */
export function withNotes<F extends FieldTable>(fields: F, more: readonly string[] = []): F {
  return { ...Object.fromEntries([...NOTES, ...more].map((name) => [name, anything])), ...fields } as F;
}
