import { UserError } from '@langevin/tensor';
import { integer, list, nullable, oneOf, withFallback } from '@langevin/tensor/fields';
import { completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';

export const SD3: JsonConfigOptions = { where: 'backbones/sd3', className: 'SD3Transformer2DModel' };

const MOST_LAYERS = 256;

/** Keys, defaults and bounds of diffusers' `SD3Transformer2DModel`. */
export const sd3Fields = {
  sample_size: integer(128, { atLeast: 1, atMost: 16384 }),
  patch_size: integer(2, { atLeast: 1, atMost: 256 }),
  in_channels: integer(16, { atLeast: 1, atMost: 4096 }),
  num_layers: integer(18, { atLeast: 1, atMost: MOST_LAYERS }),
  attention_head_dim: integer(64, { atLeast: 1, atMost: 1024 }),
  num_attention_heads: integer(18, { atLeast: 1, atMost: 256 }),
  joint_attention_dim: integer(4096, { atLeast: 1, atMost: 65536 }),
  caption_projection_dim: integer(1152, { atLeast: 1, atMost: 65536 }),
  pooled_projection_dim: integer(2048, { atLeast: 1, atMost: 65536 }),
  out_channels: withFallback(nullable(integer(16, { atLeast: 1, atMost: 8192 })), 16),
  pos_embed_max_size: withFallback(nullable(integer(96, { atLeast: 1, atMost: 4096 })), 96),
  dual_attention_layers: list([], integer(0, { atLeast: 0, atMost: MOST_LAYERS - 1 }), { atMost: MOST_LAYERS }),
  qk_norm: nullable(oneOf('rms_norm', ['rms_norm'])),
};

/**
 * The configuration of {@link sd3}, the one of diffusers' `SD3Transformer2DModel` with keys in camelCase. Widths are
 * `numAttentionHeads * attentionHeadDim`.
 *
 * - `posEmbedMaxSize`: side of the table of places, in patches; null stretches the places of `sampleSize` over any picture instead.
 * - `dualAttentionLayers`: indices of the blocks in which the picture attends to itself alone as well.
 * - `qkNorm`: whether queries and keys are normalised, as in SD 3.5.
 */
export type Sd3Config = ConfigOf<typeof sd3Fields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeSd3Config(partial: Partial<Sd3Config>): Sd3Config {
  return checkTogether(completeConfig(partial, sd3Fields, SD3));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseSd3Config(json: unknown): Sd3Config {
  return checkTogether(readJsonConfig(json, sd3Fields, SD3));
}

/** The content of `config.json`. */
export function sd3ToConfig(config: Partial<Sd3Config>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeSd3Config(config), sd3Fields, SD3.className);
}

function checkTogether(config: Sd3Config): Sd3Config {
  const { numAttentionHeads: heads, attentionHeadDim: headSize, sampleSize, patchSize, numLayers } = config;
  const width = heads * headSize;
  const sizes = `num_attention_heads=${heads}, attention_head_dim=${headSize}, width=${width}`;
  const fail = (problem: string, remedy: string): never => {
    throw new UserError(`[${SD3.where}] ${problem}. ${remedy}`);
  };
  if (width % 4 !== 0) fail(`width is not a multiple of 4: ${sizes}`, 'Positions take a sine and a cosine for each of two axes.');
  if (config.captionProjectionDim !== width)
    fail(
      `text is not as wide as the picture: caption_projection_dim=${config.captionProjectionDim}, ${sizes}`,
      'One attention reads both: make them equal.',
    );
  if (sampleSize % patchSize !== 0)
    fail(`patches do not tile the sample: sample_size=${sampleSize}, patch_size=${patchSize}`, 'Choose a divisor.');
  const beyond = config.dualAttentionLayers.find((layer) => layer >= numLayers);
  if (beyond !== undefined)
    fail(`layer does not exist: dual_attention_layers has ${beyond}, num_layers=${numLayers}`, `Layers are 0 to ${numLayers - 1}.`);
  return config;
}
