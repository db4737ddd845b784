import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readImage, writeSplatFile } from '@langevin/io/node';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';
import { blobs, writeMovingScene } from './splat-scenes.ts';

describe('where a command writes', () => {
  const commands = [
    ['convert', (ply: string, out: string) => ['convert', ply, `${out}.spz`]],
    ['compose', (ply: string, out: string) => ['compose', ply, '--out', `${out}.ply`]],
    ['compose to a scene file', (ply: string, out: string) => ['compose', ply, '--out', `${out}.json`]],
    ['render', (ply: string, out: string) => ['render', ply, '--out', `${out}.png`, '--size', '8x8']],
    ['render a film', (ply: string, out: string) => ['render', ply, '--out', `${out}.gif`, '--size', '8x8', '--frames', '2']],
  ] as const;

  it.each(commands)('%s makes the folder', async (_, args) => {
    const root = await temporaryFolder();
    await writeSplatFile(join(root, 'a.ply'), blobs());
    const { code, err } = await cli(['splat', ...args(join(root, 'a.ply'), join(root, 'new', 'deep', 'out'))]);
    expect(code, err).toBe(0);
    expect(await readdir(join(root, 'new', 'deep'))).toHaveLength(1);
  });

  it.each(commands)('%s refuses a folder, and a path through a file, before it reads', async (_, args) => {
    const root = await temporaryFolder();
    const [, last = ''] = /(\.\w+)$/.exec(args('x', 'out').find((arg) => arg.startsWith('out')) ?? '') ?? [];
    await mkdir(join(root, `folder${last}`));
    await writeFile(join(root, 'file'), '');
    // The input is not there: what is said is about the output.
    const refused = async (out: string): Promise<string> => {
      const { code, err } = await cli(['splat', ...args(join(root, 'nowhere.ply'), join(root, out))]);
      expect(code, err).toBe(1);
      return err;
    };
    expect(await refused('folder')).toContain('[io/write] path is that of a folder');
    expect(await refused('file/out')).toContain('[io/folder] a part of the path is a file');
    expect(await readdir(root)).toEqual(['file', `folder${last}`]);
  });

  it('train says so before it reads the scene', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'folder.ply'));
    await writeFile(join(root, 'file'), '');
    const refused = async (...args: readonly string[]): Promise<string> => (await cli(['splat', 'train', '/nowhere', ...args])).err;
    expect(await refused('--out', join(root, 'folder.ply'))).toContain('[io/write] path is that of a folder');
    expect(await refused('--out', join(root, 'file', 'x.ply'))).toContain('[io/folder] a part of the path is a file');
    expect(await refused('--folder', join(root, 'file'))).toContain('[io/folder] a part of the path is a file');
    expect(await refused('--folder', '')).toContain('[io/folder] path of the folder is not one');
  });

  it.each([
    [
      ['convert', 'a.ply', 'b.obj'],
      '"b.obj" has the end of no known format. Use one of: .splats4d, .splats4d.safetensors, .spz, .ply, .splat.',
    ],
    [
      ['convert', 'a.ply', 'b.compressed.ply'],
      'format is only read: name="b.compressed.ply", format=compressed-ply. Use one of: .splats4d,',
    ],
    [['compose', 'a.ply', '--out', 'b.compressed.ply'], 'format is only read: name="b.compressed.ply"'],
    [['train', '/nowhere', '--out', 'b.compressed.ply'], 'format is only read: name="b.compressed.ply"'],
    [['render', 'a.ply', '--out', 'b.webm'], '[cli/splat] format of the film is not written: --out=b.webm. Use one of: .gif, .mp4.'],
    [
      ['render', 'a.ply', '--out', 'b.bmp'],
      '[cli/splat] cannot tell the format of the picture: --out=b.bmp. Use one of: .png, .jpg, .jpeg, .webp; for a film: .gif, .mp4.',
    ],
  ])('%j lists only what it can write', async (args, message) => {
    const { code, err } = await cli(['splat', ...args]);
    expect(code).toBe(1);
    expect(err).toContain(message);
  });
});

describe('a file with Gaussians that are no numbers', () => {
  it('is refused with advice for the command line, and can be cleaned by it', async () => {
    const root = await temporaryFolder();
    const [bad, clean] = [join(root, 'bad.ply'), join(root, 'clean.ply')];
    await writeSplatFile(bad, blobs());
    const bytes = await readFile(bad);
    const body = bytes.indexOf('end_header\n') + 'end_header\n'.length;
    bytes.writeFloatLE(NaN, body);
    await writeFile(bad, bytes);
    for (const args of [
      ['info', bad],
      ['render', bad, '--out', join(root, 'x.png')],
      ['convert', bad, clean],
    ]) {
      const { code, err } = await cli(['splat', ...args]);
      expect(code).toBe(1);
      expect(err).toContain(`has invalid Gaussians: 1 of 12, the first one: `);
      expect(err).toContain(`Save it again, or leave them out: langevin splat convert ${bad} sound.ply --drop-invalid.`);
      expect(err).not.toContain("invalid: 'drop'");
    }
    expect((await cli(['splat', 'convert', bad, clean, '--drop-invalid'])).out).toContain('clean.ply: 11 Gaussians as ply, 1 left out');
    expect((await cli(['splat', 'info', clean])).code).toBe(0);
  });
});

describe('a film', () => {
  it('says how long all of it took, not only drawing', async () => {
    const root = await temporaryFolder();
    await writeSplatFile(join(root, 'a.ply'), blobs());
    const started = performance.now();
    const { out, err } = await cli(['splat', 'render', join(root, 'a.ply'), '--out', join(root, 'a.gif'), '--frames', '12', '--json']);
    const elapsed = (performance.now() - started) / 1000;
    const { seconds, millisecondsToDraw } = JSON.parse(out) as { readonly seconds: number; readonly millisecondsToDraw: number };
    expect(seconds, err).toBeGreaterThan((12 * millisecondsToDraw) / 1000);
    expect(seconds).toBeLessThanOrEqual(elapsed);
    // Opening and drawing are most of the rest: what is not said would be seen here.
    expect(seconds).toBeGreaterThan(0.5 * elapsed);
    const { delay, pages } = await sharp(join(root, 'a.gif')).metadata();
    expect([pages, delay?.reduce((sum, one) => sum + one, 0)]).toEqual([12, 600]);
  });
});

describe('a view of a scene as a camera', () => {
  it('reads that photograph and no other', async () => {
    const root = await temporaryFolder();
    const scene = await writeMovingScene(root);
    const ply = join(root, 'a.ply');
    await writeSplatFile(ply, blobs());
    const names = await readdir(join(scene, 'images'));
    const [kept, ...others] = names.sort();
    // What is read of them would be refused.
    for (const name of others) await writeFile(join(scene, 'images', name), 'no picture');
    for (const name of [`images/${kept}`, kept!, kept!.replace('.png', '')]) {
      const out = join(root, 'x.png');
      const { code, err } = await cli(['splat', 'render', ply, '--camera', `${scene}:${name}`, '--out', out, '--threads', '1']);
      expect(code, err).toBe(0);
      expect((await readImage(out)).width).toBe(24);
    }
    // Of another folder: not the same picture.
    const elsewhere = await cli(['splat', 'render', ply, '--camera', `${scene}:left/${kept}`, '--out', join(root, 'y.png')]);
    expect(elsewhere.err).toContain('scene has no view of that name');
    const { err } = await cli(['splat', 'render', ply, '--camera', `${scene}:images/s1O-0.png`, '--out', join(root, 'y.png')]);
    expect(err).toContain('[cli/splat] scene has no view of that name: "images/s1O-0.png". Did you mean "images/s10-0.png"?');
  });
});

describe('the example scene', () => {
  it('is made by a command, and can be trained on', async () => {
    const root = await temporaryFolder();
    const scene = join(root, 'scenes', 'balls');
    const made = await cli(['splat', 'example', scene, '--views', '10', '--side', '24', '--threads', '1', '--json']);
    expect(JSON.parse(made.out), made.err).toMatchObject({ folder: scene, views: 10, side: 24 });
    expect(await readdir(join(scene, 'images'))).toHaveLength(10);
    const run = [
      'splat',
      'train',
      scene,
      '--folder',
      join(root, 'run'),
      '--threads',
      '1',
      '--steps',
      '120',
      '--init-count',
      '500',
      '--json',
    ];
    const trained = await cli(run);
    expect(trained.code, trained.err).toBe(0);
    expect(trained.err).toContain('balls: 8 views of 24x24, 2 held out');
    // A wrong pose or axis would leave it below: the mean colour alone gives some 12 dB.
    expect((JSON.parse(trained.out) as { readonly psnr: number }).psnr).toBeGreaterThan(15);
    expect((await cli(['splat', 'example', scene])).err).toContain('[cli/splat] folder is not empty: folder=');
  });
});
