import { cp, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unet2dConditionFromConfig } from '@langevin/backbones';
import { clipTextFromConfig } from '@langevin/encoders';
import type { HostTensor } from '@langevin/io';
import { writeSafetensors } from '@langevin/io/node';
import { autoencoderKlFromConfig } from '@langevin/latent-ae';
import { shapesOnly } from '@langevin/nn';
import { namedTensors, toFloat16Bits, torchGenerator } from '@langevin/tensor';

/** Stable Diffusion 1.5, as its files say it. */
const UNET = {
  _class_name: 'UNet2DConditionModel',
  sample_size: 64,
  block_out_channels: [320, 640, 1280, 1280],
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  layers_per_block: 2,
  cross_attention_dim: 768,
  attention_head_dim: 8,
  norm_num_groups: 32,
};
const VAE = {
  _class_name: 'AutoencoderKL',
  sample_size: 512,
  block_out_channels: [128, 256, 512, 512],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
  layers_per_block: 2,
  latent_channels: 4,
  norm_num_groups: 32,
};
const TEXT = {
  architectures: ['CLIPTextModel'],
  model_type: 'clip_text_model',
  vocab_size: 49_408,
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  max_position_embeddings: 77,
  hidden_act: 'quick_gelu',
};
const SCHEDULER = {
  _class_name: 'DDIMScheduler',
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  beta_end: 0.012,
  num_train_timesteps: 1000,
  steps_offset: 1,
  clip_sample: false,
  set_alpha_to_one: false,
};
const INDEX = {
  _class_name: 'StableDiffusionPipeline',
  _diffusers_version: '0.42.1',
  requires_safety_checker: false,
  feature_extractor: [null, null],
  safety_checker: [null, null],
  scheduler: ['diffusers', 'DDIMScheduler'],
  text_encoder: ['transformers', 'CLIPTextModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  unet: ['diffusers', 'UNet2DConditionModel'],
  vae: ['diffusers', 'AutoencoderKL'],
};

/** Numbers that are drawn; all weights repeat them, each scaled by its inputs. */
const POOL = 65_537;

/**
 * A checkpoint of Stable Diffusion 1.5's true size with random weights in float16, made once: 2.1 GB. The tokenizer is a small one, whose
 * tokens are some of the table's.
 *
 * @param tokenizer a folder with the files of CLIP's tokenizer
 */
export async function stableDiffusionCheckpoint(folder: string, tokenizer: string): Promise<string> {
  if ((await stat(folder).catch(() => undefined)) !== undefined) return folder;
  const making = `${folder}.making`;
  await rm(making, { recursive: true, force: true });
  await component(join(making, 'unet'), { config: UNET, template: unet2dConditionFromConfig(UNET).init(shapesOnly) });
  await component(join(making, 'vae'), { config: VAE, template: autoencoderKlFromConfig(VAE).init(shapesOnly) });
  await component(join(making, 'text_encoder'), { config: TEXT, template: clipTextFromConfig(TEXT).init(shapesOnly), file: 'model' });
  await cp(tokenizer, join(making, 'tokenizer'), { recursive: true });
  await mkdir(join(making, 'scheduler'));
  await writeFile(join(making, 'scheduler/scheduler_config.json'), JSON.stringify(SCHEDULER));
  await writeFile(join(making, 'model_index.json'), JSON.stringify(INDEX));
  await rename(making, folder);
  return folder;
}

async function component(
  folder: string,
  { config, template, file = 'diffusion_pytorch_model' }: { readonly config: object; readonly template: unknown; readonly file?: string },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const pool = torchGenerator(7).normal(POOL);
  const weights = new Map<string, HostTensor>();
  for (const [name, { shape }] of namedTensors(template)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const isScale = shape.length === 1 && name.endsWith('weight');
    const deviation = shape.length >= 2 ? 0.7 / Math.sqrt(size / shape[0]!) : 0.02;
    const block = Uint16Array.from(pool, (value) => toFloat16Bits((isScale ? 1 : 0) + deviation * value));
    const data = new Uint16Array(size);
    for (let at = 0; at < size; at += POOL) data.set(block.subarray(0, Math.min(POOL, size - at)), at);
    weights.set(name, { dtype: 'float16', shape, data });
  }
  await writeSafetensors(join(folder, `${file}.safetensors`), weights, { metadata: { format: 'pt' } });
}
