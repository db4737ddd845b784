import { readdirSync } from 'node:fs';
import {
  backboneFromConfig,
  backbonePlugins,
  defineBackbone,
  ditToConfig,
  findBackbone,
  parseDitConfig,
  parseUnet2dConfig,
  unet2d,
  unet2dToConfig,
} from '@langevin/backbones';
import { parameterCount } from '@langevin/nn';
import { errorKind } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

/** The message of what a call throws, which must be the caller's mistake. */
function complaint(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(['user', 'unsupported']).toContain(errorKind(error));
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('registry', () => {
  test('lists every folder that has a plugin', async () => {
    const source = new URL('../src/', import.meta.url);
    const folders = readdirSync(source, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && readdirSync(new URL(`${entry.name}/`, source)).includes('plugin.ts'),
    );
    expect(backbonePlugins.map(({ name }) => name).sort()).toEqual(folders.map(({ name }) => name).sort());
    expect(folders.length).toBeGreaterThan(0);
  });

  test('makes a network from a configuration, by its class', () => {
    const network = backboneFromConfig({
      _class_name: 'UNet2DModel',
      _diffusers_version: '0.42.0',
      sample_size: 32,
      num_class_embeds: 11,
    });
    expect(network.info).toEqual({
      channels: 3,
      outChannels: 3,
      outputs: ['prediction'],
      axes: 'hw',
      size: [32, 32],
      multiple: 8,
      time: 'timestep',
      conditions: { label: { kind: 'label', count: 11, none: null } },
    });
    expect(parameterCount(network)).toBe(parameterCount(unet2d({ numClassEmbeds: 11 })));
    const dit = backboneFromConfig({ ...ditToConfig({ numLayers: 1 }) });
    expect(dit.info).toEqual({
      channels: 4,
      outChannels: 4,
      outputs: ['prediction'],
      axes: 'hw',
      size: [32, 32],
      multiple: 2,
      time: 'timestep',
      conditions: { label: { kind: 'label', count: 1001, none: 1000 } },
    });
  });

  test('says what exists when a name does not, and which may have been meant', () => {
    const known = backbonePlugins
      .map(({ name }) => name)
      .sort()
      .join(', ');
    const classes = backbonePlugins.map(({ className }) => className).join(', ');
    expect(complaint(() => findBackbone('unet2'))).toBe(
      '[backbones/registry] backbone is not supported: name="unet2". Did you mean "unet2d"? Known: ' + `${known}.`,
    );
    expect(complaint(() => findBackbone('resnet'))).toBe(`[backbones/registry] backbone is not supported: name="resnet". Known: ${known}.`);
    expect(complaint(() => backboneFromConfig({ sample_size: 8 }))).toBe(
      `[backbones/registry] configuration does not say its class: _class_name=nothing. Known: ${classes}.`,
    );
  });

  test('takes plugins from outside', () => {
    const mine = defineBackbone({
      name: 'mine',
      className: 'Mine',
      summary: 'A test.',
      parse: () => backboneFromConfig({ _class_name: 'UNet2DModel' }),
    });
    expect(findBackbone('Mine', [...backbonePlugins, mine])).toBe(mine);
    expect(backboneFromConfig({ _class_name: 'Mine' }, { plugins: [mine] }).info.channels).toBe(3);
    expect(complaint(() => defineBackbone({ ...mine, name: 'My Net' }))).toContain(
      '[backbones/define] names are not well-formed: name="My Net"',
    );
  });
});

describe('configurations', () => {
  test('come back from JSON as they were written', () => {
    const config = parseUnet2dConfig({
      sample_size: [32, 64],
      block_out_channels: [32, 64],
      down_block_types: ['UNetResDownBlock2D', 'AttnDownBlock2D'],
      up_block_types: ['AttnUpBlock2D', 'UpBlock2D'],
    });
    expect(config.downBlockTypes).toEqual(['DownBlock2D', 'AttnDownBlock2D']);
    const json = JSON.parse(JSON.stringify(unet2dToConfig(config))) as Record<string, unknown>;
    expect(json['_class_name']).toBe('UNet2DModel');
    expect(parseUnet2dConfig(json)).toEqual(config);
    expect(parseDitConfig(ditToConfig({ patchSize: 4, embedding: 'shared' }))).toMatchObject({ patchSize: 4, embedding: 'shared' });
  });

  test.each([
    [{ in_channels: -1 }, 'configuration value is out of bounds: in_channels=-1. Give an integer in 1..16384.'],
    [{ block_out_channels: [1e9] }, 'block_out_channels=[1000000000]. Give a list of 1 to 12 entries, each an integer in 1..16384.'],
    [{ layers_per_block: 1.5 }, 'layers_per_block=1.5. Give an integer in 1..64.'],
    [{ dropout: 'a lot' }, 'dropout="a lot". Give a number in 0..1.'],
    [{ center_input_sample: 1 }, 'center_input_sample=1. Give true or false.'],
    [{ act_fn: 'silo' }, 'act_fn="silo". Give one of gelu, gelu-approximate, mish, relu, silu, swish. Did you mean "silu"?'],
    [
      { down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'] },
      'down_block_types=["CrossAttnDownBlock2D","DownBlock2D"]. Give a list of 1 to 12 entries, each one of DownBlock2D, AttnDownBlock2D, '
        + 'ResnetDownsampleBlock2D, SkipDownBlock2D, AttnSkipDownBlock2D.',
    ],
    [{ chanels: 3 }, 'configuration has an unknown key: "chanels".'],
    [{ norm_num_group: 8 }, 'configuration has an unknown key: "norm_num_group". Did you mean "norm_num_groups"?'],
    [{ constructor: 1 }, 'configuration has an unknown key: "constructor".'],
    [
      { _class_name: 'UNet2DConditionModel' },
      'configuration is for another model: _class_name="UNet2DConditionModel", expected "UNet2DModel".',
    ],
    [{ block_out_channels: [32, 64] }, 'levels disagree: down_block_types=4, up_block_types=4, block_out_channels=2 entries.'],
    [{ norm_num_groups: 5 }, 'groups do not divide the channels: norm_num_groups=5, block_out_channels has 224.'],
    [
      { attention_head_dim: 9 },
      'head size does not divide the channels of a block with attention: attention_head_dim=9, block_out_channels has 448.',
    ],
    [{ time_embedding_type: 'learned' }, 'number of timesteps is missing: time_embedding_type="learned", num_train_timesteps=null.'],
    [{ attn_norm_num_groups: 5 }, 'groups do not divide the channels of the middle: attn_norm_num_groups=5, channels=896.'],
    [{ class_embed_type: 'identity', num_class_embeds: 3 }, 'class embedding is given twice'],
    [[], 'configuration is not a JSON object: received [].'],
    [null, 'configuration is not a JSON object: received null.'],
  ])('U-Net %j is refused', (json, message) => {
    expect(complaint(() => parseUnet2dConfig(json))).toContain(message);
  });

  test.each([
    [{ patch_size: 5 }, 'patches do not tile the sample: sample_size=32, patch_size=5.'],
    [{ num_embeds_ada_norm: null }, 'number of classes is missing: num_embeds_ada_norm=null.'],
    [
      { num_attention_heads: 1, attention_head_dim: 6 },
      'width is not a multiple of 4: num_attention_heads=1, attention_head_dim=6, width=6.',
    ],
    [{ activation_fn: 'geglu' }, 'activation_fn="geglu". Give one of gelu, gelu-approximate.'],
    [{ num_layers: 1e6 }, 'num_layers=1000000. Give an integer in 1..256.'],
  ])('DiT %j is refused', (json, message) => {
    expect(complaint(() => parseDitConfig(json))).toContain(message);
  });
});
