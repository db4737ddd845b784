import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unet2dCondition, unet2dConditionToConfig } from '@langevin/backbones';
import { clipTextFromConfig } from '@langevin/encoders';
import { readPngText } from '@langevin/io';
import { readImage, writeSafetensors } from '@langevin/io/node';
import { autoencoderKl, autoencoderKlToConfig } from '@langevin/latent-ae';
import { toStateDict, type Module } from '@langevin/nn';
import { torchGenerator } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './run-cli.ts';

const write = (path: string, content: unknown): Promise<void> =>
  writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));

/** A component with fresh weights. */
async function component<P>(folder: string, config: unknown, module: Pick<Module<P, readonly never[], unknown>, 'init'>): Promise<void> {
  await mkdir(folder, { recursive: true });
  await write(join(folder, 'config.json'), config);
  const name = folder.endsWith('text_encoder') ? 'model' : 'diffusion_pytorch_model';
  await writeSafetensors(join(folder, `${name}.safetensors`), await toStateDict(module.init(torchGenerator(5))));
}

/** A Stable Diffusion of 8x8 latents whose words are single letters. */
async function tinyModel(folder: string): Promise<string> {
  const letters = [...'abcdefghijklmnopqrstuvwxyz,.!'];
  const words = [...letters, ...letters.map((letter) => `${letter}</w>`), '<|startoftext|>', '<|endoftext|>'];
  const unet = {
    sampleSize: 8,
    blockOutChannels: [8, 16],
    layersPerBlock: 1,
    normNumGroups: 4,
    attentionHeadDim: 2,
    crossAttentionDim: 8,
    downBlockTypes: ['CrossAttnDownBlock2D', 'DownBlock2D'],
    upBlockTypes: ['UpBlock2D', 'CrossAttnUpBlock2D'],
  } as const;
  const vae = {
    blockOutChannels: [4, 4],
    normNumGroups: 2,
    downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
    upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  } as const;
  const text = {
    architectures: ['CLIPTextModel'],
    vocab_size: words.length,
    hidden_size: 8,
    intermediate_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    eos_token_id: words.length - 1,
  };
  await component(join(folder, 'unet'), unet2dConditionToConfig(unet), unet2dCondition(unet));
  await component(join(folder, 'vae'), autoencoderKlToConfig(vae), autoencoderKl(vae));
  await component(join(folder, 'text_encoder'), text, clipTextFromConfig(text));
  await mkdir(join(folder, 'tokenizer'));
  await write(join(folder, 'tokenizer/vocab.json'), Object.fromEntries(words.map((word, i) => [word, i])));
  await write(join(folder, 'tokenizer/merges.txt'), '#version: 0.2\n');
  const ends = { bos_token: '<|startoftext|>', eos_token: '<|endoftext|>', pad_token: '<|endoftext|>', unk_token: '<|endoftext|>' };
  await write(join(folder, 'tokenizer/tokenizer_config.json'), { ...ends, model_max_length: 77 });
  await mkdir(join(folder, 'scheduler'));
  await write(join(folder, 'scheduler/scheduler_config.json'), {
    _class_name: 'DDIMScheduler',
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    beta_end: 0.012,
    steps_offset: 1,
    clip_sample: false,
  });
  await write(join(folder, 'model_index.json'), {
    _class_name: 'StableDiffusionPipeline',
    ...{ unet: ['diffusers', 'UNet2DConditionModel'], vae: ['diffusers', 'AutoencoderKL'], scheduler: ['diffusers', 'DDIMScheduler'] },
    ...{ text_encoder: ['transformers', 'CLIPTextModel'], tokenizer: ['transformers', 'CLIPTokenizer'], safety_checker: [null, null] },
  });
  return folder;
}

describe('langevin generate', () => {
  let model: string;
  let out: string;
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));
  beforeAll(async () => {
    const root = await mkdtemp(join(tmpdir(), 'langevin-cli-'));
    folders.push(root);
    model = await tinyModel(join(root, 'model'));
    out = join(root, 'out');
  });
  const run = (...args: readonly string[]) => cli(['generate', ...args, '--threads', '1']);

  it('makes pictures that say how they were made, and makes one again from what it says', async () => {
    const made = await run(
      'a cat, sitting!',
      '--model',
      model,
      '--negative',
      'blur',
      '--seed',
      '7',
      '--steps',
      '3',
      '--guidance',
      '4',
      '--count',
      '2',
      '--out',
      out,
    );
    expect({ code: made.code, out: made.out }, made.err).toEqual({
      code: 0,
      out: `2 pictures in ${out}: 16x16, 3 calls of the network, seed 7\n`,
    });
    expect((await readdir(out)).sort()).toEqual(['picture-1.json', 'picture-1.png', 'picture-2.json', 'picture-2.png']);
    const notes = await readPngText(await readFile(join(out, 'picture-2.png')));
    expect(notes['parameters']).toMatch(
      /^a cat, sitting!\nNegative prompt: blur\nSteps: 3, Sampler: DDIMScheduler, CFG scale: 4, Seed: 8, Size: 16x16/u,
    );
    expect(JSON.parse(notes['langevin']!)).toEqual(JSON.parse(await readFile(join(out, 'picture-2.json'), 'utf8')));

    const again = await run('--like', join(out, 'picture-2.png'), '--out', join(out, 'again'));
    expect(again.code, again.err).toBe(0);
    const [first, second] = [await readImage(join(out, 'picture-2.png')), await readImage(join(out, 'again/picture-1.png'))];
    expect(second.data).toEqual(first.data);
    const other = await run('--like', join(out, 'picture-2.png'), '--seed', '9', '--out', join(out, 'other'));
    expect(other.code, other.err).toBe(0);
    expect((await readImage(join(out, 'other/picture-1.png'))).data).not.toEqual(first.data);
  });

  it('begins with a picture', async () => {
    const folder = join(out, 'from');
    const args = ['a', '--model', model, '--image', join(out, 'picture-1.png'), '--steps', '4', '--out', folder] as const;
    const made = await run(...args, '--strength', '0.5', '--json');
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ calls: 2, width: 16, height: 16 });
    const like = ['--like', join(folder, 'picture-1.png'), '--out', join(out, 'from-again')] as const;
    expect((await run(...like)).err).toMatch(
      /made from another one, which its file does not hold: .*sha256=[0-9a-f]{64}\. Give that one with --image/u,
    );
    const again = await run(...like, '--image', join(out, 'picture-1.png'));
    expect(again.code, again.err).toBe(0);
    const [first, second] = [await readImage(join(folder, 'picture-1.png')), await readImage(join(out, 'from-again/picture-1.png'))];
    expect(second.data).toEqual(first.data);
    expect((await run(...like, '--image', join(out, 'picture-2.png'))).err).toMatch(/is not the picture that .* was made from/u);
    const whole = await run(...args, '--size', '32x32');
    expect(whole.err).toMatch(/size is that of the picture to begin with/u);
  });

  it('takes a sampler in place of a scheduler, by the words of sample, and makes its picture again', async () => {
    const folder = join(out, 'sampled');
    const words = ['--sampler', 'DPM++ 2M Karras', '--set-spacing', 'rho=5'] as const;
    const made = await run('a cat', '--model', model, ...words, '--steps', '3', '--guidance', '4', '--out', folder, '--json');
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ calls: 3, sampler: { sampler: 'DPM++ 2M Karras', setSpacing: { rho: 5 } } });
    const plain = await run('a cat', '--model', model, '--sampler', 'heun', '--steps', '3', '--guidance', '4', '--out', folder, '--json');
    expect(plain.code, plain.err).toBe(0);
    expect(JSON.parse(plain.out)).toMatchObject({ calls: 5, scheduler: null, sampler: { sampler: 'heun' } });
    const again = await run('--like', join(folder, 'picture-1.png'), '--out', join(out, 'sampled-again'));
    expect(again.code, again.err).toBe(0);
    const [first, second] = [await readImage(join(folder, 'picture-1.png')), await readImage(join(out, 'sampled-again/picture-1.png'))];
    expect(second.data).toEqual(first.data);
    expect((await run('a', '--model', model, '--sampler', 'heun', '--scheduler', 'DDIMScheduler')).err).toMatch(
      /takes the place of the scheduler/u,
    );
    expect((await run('a', '--model', model, '--spacing', 'karras')).err).toMatch(/there is no sampler to set/u);
  });

  it('adds a LoRA, fills what is under a mask, and makes the picture again', async () => {
    const folder = join(out, 'masked');
    const lora = join(out, 'style.safetensors');
    const tensors = new Map(
      [
        ['lora_down', [1, 16]],
        ['lora_up', [16, 1]],
      ].map(([part, shape]) => {
        const name = `lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.${String(part)}.weight`;
        return [
          name,
          { dtype: 'float32', shape: shape as number[], data: Float32Array.from({ length: 16 }, (_, i) => 2 * Math.sin(i)) },
        ] as const;
      }),
    );
    await writeSafetensors(lora, tensors);
    const picture = join(out, 'picture-1.png');
    const args = ['a hat', '--model', model, '--image', picture, '--mask', picture, '--lora', `${lora}=0.7`, '--steps', '3'] as const;
    const made = await run(...args, '--out', folder, '--json');
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ adapters: [{ name: 'style', from: lora, strength: 0.7 }], start: { strength: 1 } });
    const like = ['--like', join(folder, 'picture-1.png'), '--image', picture, '--out', join(out, 'masked-again')] as const;
    expect((await run(...like)).err).toMatch(/Give that one with --mask/u);
    const again = await run(...like, '--mask', picture);
    expect(again.code, again.err).toBe(0);
    const [first, second] = [await readImage(join(folder, 'picture-1.png')), await readImage(join(out, 'masked-again/picture-1.png'))];
    expect(second.data).toEqual(first.data);
    const plain = await run(...args.slice(0, 7), '--steps', '3', '--out', join(out, 'plain-mask'));
    expect(plain.code, plain.err).toBe(0);
    expect((await readImage(join(out, 'plain-mask/picture-1.png'))).data).not.toEqual(first.data);
    expect((await run(...args, '--control-image', picture)).err).toMatch(/more pictures or scales than there is for them: --control=0/u);
  });

  it('reads weights and long prompts, and makes the picture again', async () => {
    const text = `a (red:1.4) cat BREAK ${'hat '.repeat(80)}`;
    const args = [text, '--model', model, '--steps', '2', '--guidance', '4'] as const;
    const folder = join(out, 'weighed');
    const made = await run(
      ...args,
      '--dialect',
      'a1111',
      '--long-prompts',
      'windows',
      '--clip-skip',
      '2',
      '--clip-skip-as',
      'a1111',
      '--out',
      folder,
      '--json',
    );
    expect(made.code, made.err).toBe(0);
    const report = JSON.parse(made.out) as { readonly notes: readonly string[] };
    expect(report).toMatchObject({ dialect: 'a1111', windows: 'all', clipSkip: 2, clipSkipAs: 'a1111' });
    // A hat is three letters of the tiny tokenizer: 240 tokens in windows of 75, behind the one that BREAK ends.
    expect(report.notes.join(' ')).toMatch(/text is in 5 windows, parted before "hat/u);
    const again = await run('--like', join(folder, 'picture-1.png'), '--out', join(out, 'weighed-again'));
    expect(again.code, again.err).toBe(0);
    const bytes = async (path: string) => (await readImage(join(out, path, 'picture-1.png'))).data;
    expect(await bytes('weighed-again')).toEqual(await bytes('weighed'));
    const cut = await run(...args, '--out', join(out, 'unweighed'));
    expect(cut.code, cut.err).toBe(0);
    expect(await bytes('unweighed')).not.toEqual(await bytes('weighed'));
  });

  it('knows words of textual inversion', async () => {
    const file = join(out, 'hat.safetensors');
    await writeSafetensors(file, {
      emb_params: { dtype: 'float32', shape: [2, 8], data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)) },
    });
    const folder = join(out, 'word');
    const args = ['a <x>', '--model', model, '--steps', '2', '--guidance', '4'] as const;
    const made = await run(...args, '--embedding', `${file}=<x>`, '--out', folder, '--json');
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ embeddings: [{ token: '<x>', from: file }] });
    const again = await run('--like', join(folder, 'picture-1.png'), '--out', join(out, 'word-again'));
    expect(again.code, again.err).toBe(0);
    const bytes = async (path: string) => (await readImage(join(out, path, 'picture-1.png'))).data;
    expect(await bytes('word-again')).toEqual(await bytes('word'));
    expect((await run(...args, '--out', join(out, 'wordless'))).code).toBe(0);
    expect(await bytes('wordless')).not.toEqual(await bytes('word'));
    expect((await run(...args, '--ip-adapter', file)).err).toMatch(/a picture is missing: --ip-adapter=/u);
  });

  it('takes another scheduler and size, says what did not fit, and leaves the notes out', async () => {
    const folder = join(out, 'plain');
    const made = await run(
      'z'.repeat(100),
      '--model',
      model,
      '--steps',
      '2',
      '--guidance',
      '1',
      '--scheduler',
      'EulerAncestralDiscreteScheduler',
      '--set-scheduler',
      'steps_offset=0',
      '--size',
      '24x16',
      '--no-metadata',
      '--out',
      folder,
      '--json',
    );
    expect(made.code, made.err).toBe(0);
    const report = JSON.parse(made.out) as { readonly notes: readonly string[]; readonly scheduler: object; readonly width: number };
    expect(report).toMatchObject({ width: 24, height: 16, scheduler: { _class_name: 'EulerAncestralDiscreteScheduler', steps_offset: 0 } });
    expect(report.notes).toEqual([`text did not fit into 77 tokens and was cut: "${'z'.repeat(25)}"`]);
    expect(await readdir(folder)).toEqual(['picture-1.png']);
    expect(await readPngText(await readFile(join(folder, 'picture-1.png')))).toEqual({});
  });

  it.each([
    [() => ['a'], /there is no model: --model is missing/u],
    [() => ['--model', model], /there is no prompt/u],
    [() => ['a', '--model', join(out, 'nowhere')], /nowhere/u],
    [() => ['a', '--model', model, '--size', '17x16'], /side is not a multiple of 2: width=17\. Ask for 16 or 18\./u],
    [() => ['a', '--model', model, '--size', 'big'], /size is not one: --size=big/u],
    [() => ['a', '--model', model, '--guidance', '1', '--negative', 'x'], /negative prompt does nothing without guidance/u],
    [() => ['a', '--model', model, '--scheduler', 'EulerScheduler'], /unknown scheduler class: _class_name="EulerScheduler"/u],
    [() => ['a', '--model', model, '--clip-skip', '5'], /text encoder has fewer layers: clipSkip=5, layers=1/u],
    [() => ['--like', join(model, 'model_index.json')], /not a PNG file/u],
    [() => ['--like', join(out, 'none.png')], /picture cannot be read: .*code=ENOENT/u],
  ])('refuses what cannot be done: %#', async (args, message) => {
    const { code, out: said, err } = await run(...args(), '--out', join(out, 'refused'));
    expect({ code, said }).toEqual({ code: 1, said: '' });
    expect(err).toMatch(message);
  });
});
