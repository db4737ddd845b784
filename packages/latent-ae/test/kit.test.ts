import type { Autoencoder } from '@langevin/core';
import { autoencoderFromConfig, autoencoderPlugins, autoencoderTiny, type TinyAutoencoder } from '@langevin/latent-ae';
import { testAutoencoder } from '@langevin/latent-ae/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { add, mean, mul, stopGradient, torchGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });

const configs: Readonly<Record<string, object>> = {
  LinearAutoencoder: { in_channels: 6, latent_channels: 2 },
  SequenceAutoencoder: { in_channels: 2, latent_channels: 3, block_out_channels: [4, 4], norm_num_groups: 2 },
  PointSetAutoencoder: { num_points: 12, num_latents: 3, latent_channels: 2, num_attention_heads: 2, attention_head_dim: 4, num_layers: 1 },
  FSQModel: {
    block_out_channels: [4, 4],
    down_block_types: two('DownEncoderBlock2D'),
    up_block_types: two('UpDecoderBlock2D'),
    norm_num_groups: 2,
  },
  ClipAutoencoder: {
    block_out_channels: [4, 4],
    down_block_types: two('DownEncoderBlock2D'),
    up_block_types: two('UpDecoderBlock2D'),
    norm_num_groups: 2,
  },
  AutoencoderKL: {
    block_out_channels: [4, 4],
    down_block_types: two('DownEncoderBlock2D'),
    up_block_types: two('UpDecoderBlock2D'),
    norm_num_groups: 2,
  },
  VQModel: {
    block_out_channels: [4, 4],
    down_block_types: two('DownEncoderBlock2D'),
    up_block_types: two('UpDecoderBlock2D'),
    norm_num_groups: 2,
  },
  AutoencoderTiny: {
    encoder_block_out_channels: [4, 4],
    decoder_block_out_channels: [4, 4],
    num_encoder_blocks: [1, 1],
    num_decoder_blocks: [1, 1],
  },
  AutoencoderDC: {
    latent_channels: 4,
    attention_head_dim: 4,
    encoder_block_out_channels: [4, 8],
    decoder_block_out_channels: [4, 8],
    encoder_layers_per_block: [1, 1],
    decoder_layers_per_block: [1, 1],
    encoder_qkv_multiscales: [[], [5]],
    decoder_qkv_multiscales: [[], [5]],
    encoder_block_types: ['ResBlock', 'EfficientViTBlock'],
    decoder_block_types: ['ResBlock', 'EfficientViTBlock'],
    decoder_norm_types: ['batch_norm', 'rms_norm'],
  },
};

function two(name: string): readonly string[] {
  return [name, name];
}

describe.each(autoencoderPlugins.map(({ className }) => [className] as const))('%s', (className) => {
  testAutoencoder(autoencoderFromConfig({ _class_name: className, ...configs[className]! }), { test, engine });
});

/** The checks that an autoencoder does not pass, by name. */
async function failures<Params>(autoencoder: Autoencoder<Params>): Promise<readonly string[]> {
  const checks: (readonly [string, () => Promise<void>])[] = [];
  testAutoencoder(autoencoder, { test: (name, run) => void checks.push([name, run]), engine });
  const failed: string[] = [];
  for (const [name, run] of checks)
    await run().catch((error: unknown) => {
      failed.push(`${name}: ${(error as Error).message}`);
    });
  return failed;
}

describe('the kit tells what an autoencoder does not keep', () => {
  const sound = autoencoderTiny({
    encoderBlockOutChannels: [4],
    decoderBlockOutChannels: [4],
    numEncoderBlocks: [1],
    numDecoderBlocks: [1],
  });
  const broken = (change: Partial<TinyAutoencoder>): TinyAutoencoder => ({ ...sound, ...change });

  let seed = 0;

  test('a sound one passes all', async () => {
    expect(await failures(sound)).toEqual([]);
  });

  test.each([
    ['another factor', broken({ info: { ...sound.info, factor: [2, 2] } }), /the factor says/u],
    ['too few scales', broken({ info: { ...sound.info, scale: [1, 2] } }), /2 numbers for 4 channels/u],
    ['a state of its own', broken({ init: () => sound.init(torchGenerator(seed++)) }), /another for the same seed/u],
    ['norms over the batch', broken({ decode: (params, z) => add(sound.decode(params, z), mean(z)) }), /of pictures alone/u],
    [
      'noise without a divergence',
      broken({ encode: (params, x) => ({ ...sound.encode(params, x), sample: (noise) => noise }) }),
      /without noise|divergence=undefined/u,
    ],
    ['no gradient', broken({ decode: (params, z) => stopGradient(sound.decode(params, mul(z, 1))) }), /all gradients are 0/u],
    ['no checks', broken({ latentShape: (shape) => [shape[0]!, 4, ...shape.slice(2)] }), /takes the shape of pictures/u],
  ] as const)('%s', async (_, autoencoder, message) => {
    const failed = await failures(autoencoder);
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.join('\n')).toMatch(message);
  });
});
