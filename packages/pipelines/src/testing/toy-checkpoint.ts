import { findBackbone } from '@langevin/backbones';
import { findEncoder } from '@langevin/encoders';
import { writeSafetensors } from '@langevin/io/node';
import { findAutoencoder } from '@langevin/latent-ae';
import { data, namedTensors, torchGenerator, type Generator } from '@langevin/tensor';
import type { HostTensor } from '@langevin/io';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPath } from '../exists.ts';

const START = '<|startoftext|>';
const END = '<|endoftext|>';
const LENGTH = 77;
const WIDTH = 16;

/** Letters as the byte-level tokenizer of CLIP writes bytes: alone, and at the end of a word. */
const LETTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
const VOCABULARY = [...LETTERS, ...LETTERS.map((letter) => `${letter}</w>`), START, END];

interface ToyComponent {
  readonly file: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly init: (config: Readonly<Record<string, unknown>>, generator: Generator) => unknown;
}

const COMPONENTS: Readonly<Record<string, ToyComponent>> = {
  text_encoder: {
    file: 'model',
    config: {
      architectures: ['CLIPTextModel'],
      vocab_size: VOCABULARY.length,
      hidden_size: WIDTH,
      intermediate_size: 2 * WIDTH,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      max_position_embeddings: LENGTH,
      bos_token_id: VOCABULARY.indexOf(START),
      eos_token_id: VOCABULARY.indexOf(END),
      pad_token_id: VOCABULARY.indexOf(END),
    },
    init: (config, generator) => findEncoder('CLIPTextModel').parse(config).init(generator),
  },
  unet: {
    file: 'diffusion_pytorch_model',
    config: {
      _class_name: 'UNet2DConditionModel',
      sample_size: 8,
      block_out_channels: [WIDTH, 2 * WIDTH],
      down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
      up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
      layers_per_block: 1,
      norm_num_groups: 4,
      cross_attention_dim: WIDTH,
      attention_head_dim: 2,
    },
    init: (config, generator) => findBackbone('UNet2DConditionModel').parse(config).init(generator),
  },
  vae: {
    file: 'diffusion_pytorch_model',
    config: {
      _class_name: 'AutoencoderKL',
      block_out_channels: [8, 16],
      down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
      up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
      layers_per_block: 1,
      latent_channels: 4,
      norm_num_groups: 4,
      sample_size: 16,
      scaling_factor: 0.18215,
    },
    init: (config, generator) => findAutoencoder('AutoencoderKL').parse(config).init(generator),
  },
};

const SCHEDULER = {
  _class_name: 'DDIMScheduler',
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  clip_sample: false,
  set_alpha_to_one: false,
  steps_offset: 1,
  prediction_type: 'epsilon',
};

export interface ToyCheckpointOptions {
  /** Of its weights: the same seed writes the same files. @default 0 */
  readonly seed?: number;
}

/**
 * Writes a checkpoint of Stable Diffusion in small, which nobody trained: pictures of 16x16 in milliseconds, and every file that a true one
 * has. For tests of programs that make pictures, and to try things on.
 *
 * @param folder it is made where it is not there
 * @returns the folder
 * @example
 * import { openCheckpoint } from '@langevin/pipelines';
 * import { writeToyCheckpoint } from '@langevin/pipelines/testing';
 * const { index, components } = await openCheckpoint(await writeToyCheckpoint('toy'));
 * index!.className; // => 'StableDiffusionPipeline'
 * components.size; // => 5
 */
export async function writeToyCheckpoint(folder: string, { seed = 0 }: ToyCheckpointOptions = {}): Promise<string> {
  checkPath(folder);
  const generator = torchGenerator(seed);
  const write = async (path: string, content: unknown): Promise<void> => {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  for (const [name, { file, config, init }] of Object.entries(COMPONENTS)) {
    await write(`${name}/config.json`, config);
    const tensors = new Map<string, HostTensor>();
    for (const [key, tensor] of namedTensors(init(config, generator)))
      tensors.set(key, { dtype: tensor.dtype, shape: tensor.shape, data: await data(tensor) } as HostTensor);
    await writeSafetensors(join(folder, name, `${file}.safetensors`), tensors, { metadata: { format: 'pt' } });
  }
  await write('scheduler/scheduler_config.json', SCHEDULER);
  const special = { bos_token: START, eos_token: END, pad_token: END, unk_token: END };
  await write('tokenizer/vocab.json', Object.fromEntries(VOCABULARY.map((token, i) => [token, i])));
  await write('tokenizer/merges.txt', '#version: 0.2\n');
  await write('tokenizer/special_tokens_map.json', special);
  await write('tokenizer/tokenizer_config.json', { ...special, model_max_length: LENGTH, tokenizer_class: 'CLIPTokenizer' });
  await write('model_index.json', {
    _class_name: 'StableDiffusionPipeline',
    feature_extractor: [null, null],
    safety_checker: [null, null],
    scheduler: ['diffusers', SCHEDULER._class_name],
    text_encoder: ['transformers', 'CLIPTextModel'],
    tokenizer: ['transformers', 'CLIPTokenizer'],
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
  });
  return folder;
}
