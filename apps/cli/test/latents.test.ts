import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readImage, writeImage } from '@langevin/io/node';
import { describe, expect, it, vi } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';

vi.setConfig({ testTimeout: 120_000 });

const blocks = (kind: string): readonly string[] => [kind, kind];

/** Six pictures of plain colours, and a configuration that trains an autoencoder on them. */
async function setUp() {
  const root = await temporaryFolder();
  const folder = join(root, 'pictures');
  await mkdir(folder);
  for (let i = 0; i < 6; i += 1)
    await writeImage(join(folder, `${i}.png`), { width: 8, height: 8, channels: 3, data: new Uint8Array(192).fill(40 * i) });
  const config = join(root, 'tiny.json');
  await writeFile(
    config,
    JSON.stringify({
      name: 'tiny',
      seed: 1,
      data: { name: 'picture-folder', folder, size: 8 },
      autoencoder: {
        _class_name: 'AutoencoderKL',
        block_out_channels: [4, 4],
        down_block_types: blocks('DownEncoderBlock2D'),
        up_block_types: blocks('UpDecoderBlock2D'),
        norm_num_groups: 2,
        layers_per_block: 1,
        latent_channels: 2,
      },
      regulariser: { name: 'kl' },
      losses: [{ name: 'l1' }],
      optimizer: { name: 'adam', learningRate: 0.01 },
      batchSize: 3,
      average: { decay: 0.5 },
    }),
  );
  return { root, folder, config, run: join(root, 'run') };
}

describe('an autoencoder on the command line', () => {
  it('is trained, goes on, is described, encodes and decodes', async () => {
    const { root, folder, config, run } = await setUp();
    const train = (steps: number, ...more: readonly string[]) =>
      cli(['train', config, '--folder', run, '--steps', String(steps), '--threads', '1', ...more]);
    const first = await train(2);
    expect(first.err).toContain('tiny: 6 pictures, none held out');
    expect(first.out).toContain(join(run, 'autoencoder'));
    expect(first.out).toMatch(/latents {5}means -?\d/u);
    const again = await train(4, '--resume', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ step: 4, reason: 'finished', out: join(run, 'autoencoder'), latents: { count: 6 } });

    const info = await cli(['info', join(run, 'autoencoder')]);
    expect(info.out).toContain('encoder');

    const latents = join(root, 'latents.safetensors');
    const autoencoder = ['--autoencoder', join(run, 'autoencoder'), '--threads', '1'];
    const encoded = await cli(['encode', folder, ...autoencoder, '--out', latents]);
    expect(encoded.out).toContain('6 latents of 2 x 4 x 4');
    const sheet = join(root, 'sheet.png');
    const decoded = await cli([
      ...['decode', latents, ...autoencoder, '--out', sheet],
      '--folder',
      join(root, 'out'),
      '--columns',
      '3',
      '--json',
    ]);
    expect(JSON.parse(decoded.out)).toMatchObject({ count: 6, out: [sheet, join(root, 'out')] });
    expect(await readImage(sheet)).toMatchObject({ width: 2 + 3 * 10, height: 2 + 2 * 10 });
    expect((await readImage(join(root, 'out', '00005.png'))).width).toBe(8);
    const banded = join(root, 'banded.png');
    await cli(['decode', latents, ...autoencoder, '--out', banded, '--columns', '3', '--decoding', 'bands']);
    const [whole, bands] = [await readImage(sheet), await readImage(banded)];
    expect(Math.max(...whole.data.map((value, i) => Math.abs(value - bands.data[i]!)))).toBeLessThanOrEqual(1);
  });

  it('says what is wrong', async () => {
    const { root, folder, config, run } = await setUp();
    const failing = async (...words: readonly string[]) => (await cli(words)).err;
    const json = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>;
    const wrong = async (entry: Record<string, unknown>) => {
      const path = join(root, 'wrong.json');
      await writeFile(path, JSON.stringify({ ...json, ...entry }));
      return failing('train', path, '--folder', run, '--steps', '1');
    };
    expect(await wrong({ regulariser: { name: 'kll' } })).toContain('unknown regulariser: "kll". Did you mean "kl"?');
    expect(await wrong({ regulariser: { name: 'codes' } })).toContain(
      '[latent-ae/codes] regulariser does not fit the autoencoder: it has no codes',
    );
    expect(await wrong({ losses: [{ name: 'perceptual' }] })).toContain('a perceptual loss needs a network');
    expect(await wrong({ losses: [] })).toContain('losses');
    expect(await wrong({ autoencoder: { _class_name: 'AutoencoderXL' } })).toContain('Did you mean');
    expect(await failing('train', config, '--from', 'x')).toContain('an autoencoder begins with weights of its own');
    expect(await failing('encode', folder, '--autoencoder', folder, '--out', join(root, 'z.safetensors'))).toContain(
      "not an autoencoder's folder",
    );
    expect(await failing('decode', config, '--autoencoder', folder)).toContain("not an autoencoder's folder");
    await writeFile(config, JSON.stringify(json));
    await cli(['train', config, '--folder', run, '--steps', '1', '--threads', '1']);
    expect(await failing('export', run, join(root, 'out'))).toContain('run trains an autoencoder, whose folder it writes at its end');
  });
});
