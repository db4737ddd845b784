import { UnsupportedError, UserError } from '@langevin/tensor';
import { showEntry } from '@langevin/tensor/fields';
import type { Unet2dConditionConfig } from './config.ts';
import { levelsOf, type Level } from './levels.ts';

const WHERE = 'backbones/unet2d-condition';

/** What of the configurations of diffusers is not built here, by key. */
const UNBUILT: Readonly<Record<string, readonly unknown[]>> = {
  downBlockTypes: ['KDownBlock2D', 'KCrossAttnDownBlock2D', 'SkipDownBlock2D', 'AttnSkipDownBlock2D'],
  upBlockTypes: ['KUpBlock2D', 'KCrossAttnUpBlock2D', 'SkipUpBlock2D', 'AttnSkipUpBlock2D'],
  encoderHidDimType: ['text_image_proj', 'image_proj', 'ip_image_proj'],
  additionEmbedType: ['text_image', 'image', 'image_hint'],
  attentionType: ['gated', 'gated-text-image'],
};

/** What one entry demands of another. @throws UserError, or UnsupportedError for what is not built here, naming the key */
export function checkUnet2dCondition(config: Unet2dConditionConfig): Unet2dConditionConfig {
  refuseUnbuilt(config);
  checkLists(config);
  const levels = levelsOf(config);
  checkDepths(config, levels);
  checkSizes(config, levels);
  checkEmbeddings(config);
  return config;
}

const fail = (problem: string, remedy: string): never => {
  throw new UserError(`[${WHERE}] ${problem}. ${remedy}`);
};

const snake = (key: string): string => key.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);

function refuseUnbuilt(config: Unet2dConditionConfig): void {
  for (const [key, unbuilt] of Object.entries(UNBUILT)) {
    const value = config[key as keyof Unet2dConditionConfig];
    const found = (Array.isArray(value) ? (value as readonly unknown[]) : [value]).find((each) => unbuilt.includes(each));
    if (found === undefined) continue;
    throw new UnsupportedError(
      `[${WHERE}] this kind of U-Net is not built here: ${snake(key)}=${showEntry(found)}. Use a checkpoint without it.`,
    );
  }
}

/** Lists have an entry for each level. */
function checkLists(config: Unet2dConditionConfig): void {
  const count = config.blockOutChannels.length;
  const keys = [
    'downBlockTypes',
    'upBlockTypes',
    'onlyCrossAttention',
    'layersPerBlock',
    'crossAttentionDim',
    'attentionHeadDim',
    'numAttentionHeads',
    'transformerLayersPerBlock',
    'reverseTransformerLayersPerBlock',
  ] as const;
  for (const key of keys) {
    const value = config[key];
    if (Array.isArray(value) && value.length !== count) {
      fail(`levels disagree: ${snake(key)}=${value.length}, block_out_channels=${count} entries`, 'Give each one entry for each level.');
    }
  }
  const sizes = Array.isArray(config.crossAttentionDim) ? (config.crossAttentionDim as readonly number[]) : [];
  if (sizes.some((size) => size !== sizes[0])) {
    throw new UnsupportedError(
      `[${WHERE}] levels read contexts of different sizes: cross_attention_dim=${showEntry(sizes)}. Use a checkpoint with one size.`,
    );
  }
}

/** SDXL has 70. */
const MOST_TRANSFORMER_BLOCKS = 4096;

/** Lists of transformer blocks within a level are as long as it has residual blocks. */
function checkDepths(config: Unet2dConditionConfig, levels: readonly Level[]): void {
  const last = levels.length - 1;
  let blocks = 0;
  levels.forEach((level, i) => {
    const ways = [
      { types: config.downBlockTypes[i]!, count: level.layers, depth: level.depthDown },
      { types: config.upBlockTypes[last - i]!, count: level.layers + 1, depth: level.depthUp },
    ];
    for (const { types, count, depth } of ways) {
      if (!types.startsWith('CrossAttn')) continue;
      const depths = Array.from({ length: count }, (_, k): number | undefined => depth(k));
      blocks += depths.reduce<number>((sum, each) => sum + (each ?? 0), 0);
      if (!depths.includes(undefined)) continue;
      fail(
        `transformer blocks are missing: ${types} of level ${i} has ${count} places, transformer_layers_per_block=`
          + `${showEntry(config.transformerLayersPerBlock)}, reverse_transformer_layers_per_block=`
          + showEntry(config.reverseTransformerLayersPerBlock),
        'Give a number, or one for each place: the way up has one more than the way down, and a key of its own.',
      );
    }
  });
  if (blocks > MOST_TRANSFORMER_BLOCKS)
    fail(`there are too many transformer blocks: ${blocks}, at most ${MOST_TRANSFORMER_BLOCKS}`, 'Check transformer_layers_per_block.');
}

function checkSizes(config: Unet2dConditionConfig, levels: readonly Level[]): void {
  const { normNumGroups: groups, downBlockTypes: down, upBlockTypes: up, midBlockType: middle } = config;
  const last = levels.length - 1;
  levels.forEach(({ channels, heads, headSize }, i) => {
    if (channels % groups !== 0)
      fail(`groups do not divide the channels: norm_num_groups=${groups}, block_out_channels has ${channels}`, 'Choose sizes that divide.');
    const types = [down[i]!, up[last - i]!, ...(i === last && middle !== null ? [middle] : [])];
    if (types.some((type) => /^(?:CrossAttn|UNetMidBlock2DCrossAttn)/u.test(type)) && heads > channels) {
      fail(
        `more heads than channels: heads=${heads}, channels=${channels} at level ${i}`,
        'attention_head_dim is the number of heads there.',
      );
    }
    if (types.some((type) => /^(?:Attn|SimpleCross|UNetMidBlock2DSimple)/u.test(type)) && channels % headSize !== 0) {
      fail(
        `head size does not divide the channels of a block with attention: attention_head_dim=${headSize}, `
          + `block_out_channels has ${channels}`,
        'Choose a divisor.',
      );
    }
  });
  const simple = [...down, ...up, middle ?? ''].some((type) => type.includes('Simple'));
  const text = levels[0]!.contextChannels;
  if (simple && config.crossAttentionNorm === 'group_norm' && text % 32 !== 0)
    fail(`groups do not divide the context: cross_attention_norm="group_norm", cross_attention_dim=${text}`, 'Give a multiple of 32.');
  if (simple && config.crossAttentionNorm === 'layer_norm' && levels.some(({ channels }) => channels !== text)) {
    fail(
      `a layer norm of the context has the channels of its block: cross_attention_norm="layer_norm", cross_attention_dim=${text}`,
      'Use "group_norm", or channels that are all of that size.',
    );
  }
}

/** The keys that embeddings need beside their type. */
function checkEmbeddings(config: Unet2dConditionConfig): void {
  const { classEmbedType, additionEmbedType, projectionClassEmbeddingsInputDim: inputs, additionEmbedTypeNumHeads: heads } = config;
  const needs = (key: string, because: string): never => fail(`a size is missing: ${key}=null, ${because}`, 'Say how large it is.');
  if (classEmbedType !== null && classEmbedType.endsWith('projection') && inputs === null)
    needs('projection_class_embeddings_input_dim', `class_embed_type="${classEmbedType}"`);
  if (config.classEmbeddingsConcat && classEmbedType === null && config.numClassEmbeds === null)
    fail('class embeddings are joined but there are none: class_embeddings_concat=true', 'Set class_embed_type or num_class_embeds.');
  if (config.encoderHidDimType !== null && config.encoderHidDim === null)
    needs('encoder_hid_dim', `encoder_hid_dim_type="${config.encoderHidDimType}"`);
  if (additionEmbedType === 'text_time') {
    if (config.additionTimeEmbedDim === null) needs('addition_time_embed_dim', 'addition_embed_type="text_time"');
    if (inputs === null) needs('projection_class_embeddings_input_dim', 'addition_embed_type="text_time"');
    if (config.additionTimeEmbedDim! > inputs!)
      fail(
        `one number alone is longer than all: addition_time_embed_dim=${config.additionTimeEmbedDim}, `
          + `projection_class_embeddings_input_dim=${inputs}`,
        'The second is the size of the pooled text and of all numbers together.',
      );
  }
  const text = config.encoderHidDim ?? levelsOf(config)[0]!.contextChannels;
  if (additionEmbedType === 'text' && text % heads !== 0)
    fail(`heads do not divide the text: addition_embed_type_num_heads=${heads}, features=${text}`, 'Choose a divisor.');
  if (config.timeEmbeddingType === 'fourier' && (config.timeEmbeddingDim ?? 0) % 2 !== 0)
    fail(`frequencies have two waves each: time_embedding_dim=${config.timeEmbeddingDim}`, 'Give an even number.');
}
