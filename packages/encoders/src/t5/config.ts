import { readJsonConfig, type ConfigOf } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { flag, integer, nullable, number, oneOf } from '@langevin/tensor/fields';
import { withNotes } from '../transformers-notes.ts';

const WHERE = 'encoders/t5';

const size = { atLeast: 1, atMost: 65_536 };

/** What stands between the two layers of a feed-forward network: as transformers names it, `gated-gelu` with the approximate gelu. */
const PROJECTIONS = ['relu', 'gated-gelu', 'gelu', 'gated-silu', 'gated-relu'] as const;

/** Keys, defaults and bounds of transformers' `T5Config`, as far as they concern the encoder. */
const fields = {
  vocab_size: integer(32_128, { atLeast: 1, atMost: 10_000_000 }),
  d_model: integer(512, size),
  d_kv: integer(64, size),
  d_ff: integer(2048, { atLeast: 1, atMost: 1_000_000 }),
  num_layers: integer(6, { atLeast: 1, atMost: 200 }),
  num_heads: integer(8, { atLeast: 1, atMost: 1024 }),
  relative_attention_num_buckets: integer(32, { atLeast: 2, atMost: 4096 }),
  relative_attention_max_distance: integer(128, { atLeast: 2, atMost: 1_000_000 }),
  layer_norm_epsilon: number(1e-6, { atLeast: 0, atMost: 1 }),
  feed_forward_proj: oneOf('relu', PROJECTIONS),
  is_encoder_decoder: nullable(flag(true)),
};

/** The configuration of {@link t5}, the one of transformers' `T5Config` with keys in camelCase. */
export type T5Config = ConfigOf<typeof fields>;

/** Keys that say nothing of the encoder: what follows from others, and what the decoder is told. */
const NOTES = [
  'dropout_rate',
  'classifier_dropout',
  'num_decoder_layers',
  'decoder_start_token_id',
  'n_positions',
  'output_past',
  'dense_act_fn',
  'is_gated_act',
  'scale_decoder_outputs',
  'task_specific_params',
  'use_cache',
  'tie_encoder_decoder',
] as const;

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseT5Config(json: unknown): T5Config {
  const config = readJsonConfig(json, withNotes(fields, NOTES), { where: WHERE, className: 'T5EncoderModel' });
  const { relativeAttentionNumBuckets: buckets, relativeAttentionMaxDistance: most } = config;
  if (buckets % 4 !== 0 || most <= buckets / 4)
    throw new UserError(
      `[${WHERE}] distances cannot be put into these buckets: relative_attention_num_buckets=${buckets}, `
        + `relative_attention_max_distance=${most}. Give a multiple of 4, and more than a quarter of it.`,
    );
  return config;
}
