import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { playback } from '@langevin/gaussians';
import { readImage, readSplatFile, readSplats4dFile, writeSplatFile } from '@langevin/io/node';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';
import { blobs, COUNT, writeMovingScene } from './splat-scenes.ts';

it('trains a scene in motion, resumes it, describes, draws, films and converts it', async () => {
  const root = await temporaryFolder();
  const scene = await writeMovingScene(root);
  const file = join(root, 'walk.splats4d');
  const run = [
    'splat',
    'train',
    scene,
    '--folder',
    join(root, 'run'),
    '--out',
    file,
    '--threads',
    '1',
    '--set-motion',
    'width=32',
    '--set-motion',
    'depth=2',
    '--init-count',
    '2000',
    '--still-steps',
    '120',
    '--steps',
    '240',
    '--evaluate-every',
    '0',
    '--checkpoint-every',
    '50',
  ];
  const before = new AbortController();
  const first = await cli(run, {
    signal: before.signal,
    heard: (text) => {
      if (text.includes('checkpoint')) before.abort();
    },
  });
  expect(first.code, first.err).toBe(0);
  expect(first.err).toContain('in motion from 10 to 12, 4 moments; the asset at rest begins with the 8 views of the first');
  expect(first.out).toContain('go on with  the same command and --resume');
  const trained = await cli([...run, '--resume', '--json']);
  expect(trained.code, trained.err).toBe(0);
  const ending = JSON.parse(trained.out) as { readonly psnr: number; readonly psnrAtRest: number };
  expect(ending).toMatchObject({ step: 240, reason: 'finished', deformation: 'mlp', out: file });
  // Both on the two held-out frames, at 10.5 and at 12.
  expect(ending.psnr - ending.psnrAtRest).toBeGreaterThan(2);
  expect(await readFile(join(root, 'run', 'motion', 'report.html'), 'utf8')).toContain('Held-out views: photograph, render');

  expect(JSON.parse((await cli(['splat', 'info', file, '--json'])).out)).toMatchObject({
    format: '4d',
    degree: 3,
    motion: { start: 10, end: 12, loop: 'none', frames: 4, kind: 'mlp', config: { width: 32, depth: 2 } },
  });
  expect((await cli(['splat', 'info', file])).out).toMatch(/moves {7}from 10 to 12, then stays\ndeformation mlp, [\d,]+ weights\n/);

  const draw = async (more: readonly string[]): Promise<Uint8Array> => {
    const out = join(root, 'picture.png');
    const drawn = await cli(['splat', 'render', file, '--out', out, '--size', '32x24', '--threads', '1', ...more]);
    expect(drawn.code, drawn.err).toBe(0);
    return (await readImage(out)).data;
  };
  const rest = await draw([]);
  expect(await draw(['--time', '10'])).toEqual(rest);
  expect(await draw(['--time', '12'])).not.toEqual(rest);

  const gif = join(root, 'walk.gif');
  const filmed = await cli(['splat', 'render', file, '--out', gif, '--frames', '3', '--size', '32x24', '--threads', '1', '--json']);
  expect(JSON.parse(filmed.out), filmed.err).toMatchObject({ frames: 3, from: 10, to: 12 });
  const page = async (index: number): Promise<Buffer> => sharp(gif, { page: index }).raw().toBuffer();
  expect((await page(0)).equals(await page(2))).toBe(false);
  expect(
    (
      await cli([
        'splat',
        'render',
        file,
        '--out',
        join(root, 'walk.mp4'),
        '--frames',
        '4',
        '--turns',
        '1',
        '--size',
        '32x24',
        '--threads',
        '1',
      ])
    ).code,
  ).toBe(0);
  expect((await cli(['splat', 'render', file, '--out', gif, '--time', '13'])).err).toContain(
    '[cli/splat] time is outside of the motion: time=13',
  );

  const moment = join(root, 'moment.ply');
  expect((await cli(['splat', 'convert', file, moment, '--time', '11'])).out).toContain(
    `moment.ply: ${COUNT_AT_LEAST(await readSplatFile(file))} Gaussians as ply, at time 11`,
  );
  const { cloud, deformation } = await readSplats4dFile(file);
  expect((await readSplatFile(moment)).means).toEqual(playback(cloud, deformation!)(0.5).means);
  const again = join(root, 'again.splats4d');
  expect((await cli(['splat', 'convert', file, again])).code).toBe(0);
  expect((await readFile(again)).equals(await readFile(file))).toBe(true);
  const still = await cli(['splat', 'convert', file, moment]);
  expect(still.err).toContain('the motion is left out: this is the asset at rest; --time writes another moment, from 10 to 12');
  expect((await readSplatFile(moment)).means).toEqual(cloud.means);
  expect((await cli(['splat', 'convert', moment, again, '--time', '1'])).err).toContain('[cli/splat] nothing moves in this file');

  const composed = await cli([
    'splat',
    'compose',
    moment,
    file,
    '--place',
    '2:translation=3,0,0 offset=1 duration=4 beyond=mirror',
    '--out',
    join(root, 'scene.json'),
  ]);
  expect(composed.out, composed.err).toContain('in motion from 1 to 5');
  expect((await cli(['splat', 'compose', join(root, 'scene.json'), '--time', '3', '--out', join(root, 'both.ply')])).code).toBe(0);
  const both = await readSplatFile(join(root, 'both.ply'));
  expect(both.count).toBe(2 * cloud.count);
  const middle = playback(cloud, deformation!)(0.5).means;
  expect([...both.means.slice(3 * cloud.count)]).toEqual([...middle].map((value, i) => (i % 3 === 0 ? Math.fround(value + 3) : value)));
  expect((await cli(['splat', 'render', join(root, 'scene.json'), '--out', gif, '--frames', '2', '--size', '16x16'])).code).toBe(0);

  // The same as one file, from the command line and from the scene file, with its motion.
  const [one, other, part] = ['one.splats4d', 'other.splats4d', 'part.ply'].map((name) => join(root, name)) as [string, string, string];
  const written = await cli([
    'splat',
    'compose',
    moment,
    file,
    '--place',
    '2:translation=3,0,0 offset=1 duration=4 beyond=mirror',
    '--out',
    one,
  ]);
  expect([written.code, written.err], written.err).toEqual([0, '']);
  expect((await cli(['splat', 'convert', join(root, 'scene.json'), other])).code).toBe(0);
  expect((await readFile(one)).equals(await readFile(other))).toBe(true);
  expect((await cli(['splat', 'convert', one, part, '--time', '3'])).code).toBe(0);
  expect((await readSplatFile(part)).means).toEqual(both.means);
  expect((await cli(['splat', 'convert', one, other])).code).toBe(0);
  expect((await readFile(one)).equals(await readFile(other))).toBe(true);
  expect(JSON.parse((await cli(['splat', 'info', one, '--json'])).out)).toMatchObject({
    format: '4d',
    assets: 2,
    gaussians: 2 * cloud.count,
    motion: { start: 1, end: 5, loop: 'mirror' },
  });
  expect((await cli(['splat', 'info', one])).out).toContain('made of     2 assets, each in its place');
  expect((await cli(['splat', 'render', one, '--out', gif, '--frames', '2', '--size', '16x16'])).code).toBe(0);
  expect((await cli(['splat', 'compose', one, '--out', other])).err).toContain(
    '[cli/splat] a scene holds files of Gaussians only: the command line names',
  );
}, 600_000);

const COUNT_AT_LEAST = ({ count }: { readonly count: number }): string => count.toLocaleString('en-US');

it('composes what stands still, from the command line and from a scene file, the same', async () => {
  const root = await temporaryFolder();
  const [a, b, out, scene] = ['a.ply', 'b.spz', 'both.ply', 'scene.json'].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];
  await writeSplatFile(a, blobs());
  await writeSplatFile(b, blobs());
  const said = await cli([
    'splat',
    'compose',
    a,
    b,
    '--place',
    '2:translation=5,0,0 axis=0,1,0 degrees=90 scale=0.5',
    '--out',
    out,
    '--json',
  ]);
  expect(JSON.parse(said.out), said.err).toEqual({ out, assets: 2, gaussians: 2 * COUNT, degree: 0 });
  const both = await readSplatFile(out);
  expect(both.means.slice(0, 3 * COUNT)).toEqual(blobs().means);
  // A quarter of a turn about y takes x to -z and z to x.
  for (let i = 0; i < COUNT; i++) {
    const [x, y, z] = blobs().means.slice(3 * i, 3 * i + 3);
    [5 + 0.5 * z!, 0.5 * y!, -0.5 * x!].forEach((value, axis) => expect(both.means[3 * (COUNT + i) + axis]).toBeCloseTo(value, 3));
  }
  await writeFile(
    scene,
    JSON.stringify({ assets: [{ file: 'a.ply' }, { file: 'b.spz', translation: [5, 0, 0], axis: [0, 1, 0], degrees: 90, scale: 0.5 }] }),
  );
  const again = join(root, 'again.ply');
  expect((await cli(['splat', 'compose', scene, '--out', again])).code).toBe(0);
  expect((await readFile(again)).equals(await readFile(out))).toBe(true);
  expect(JSON.parse((await cli(['splat', 'info', scene, '--json'])).out)).toMatchObject({
    format: 'scene',
    gaussians: 2 * COUNT,
    motion: null,
  });

  const refused = async (args: readonly string[]): Promise<string> => (await cli(['splat', 'compose', ...args, '--out', out])).err;
  expect(await refused([a, '--place', '2:scale=1'])).toContain('[cli/splat] no file of that number: --place 2:..., files=1.');
  expect(await refused([a, '--place', '1:scale=0'])).toContain('[gaussians/compose] the command line has the wrong form: assets.0.scale');
  expect(await refused([a, '--place', '1:size=2'])).toContain('assets.0.size');
  expect(await refused([a, '--place', '1:translation=1e300,0,0'])).toContain('assets.0.translation.0');
  expect(await refused([a, '--place', '1:degrees=3'])).toContain('has no rotation: axis=undefined, degrees=3. Give both');
  expect(await refused([a, '--time', '1'])).toContain('[cli/splat] nothing moves in this scene');
  await writeFile(scene, '{"assets": []}');
  expect(await refused([scene])).toContain('scene.json has the wrong form: assets');
  await writeFile(scene, JSON.stringify({ assets: [{ file: 'nowhere.ply' }] }));
  expect(await refused([scene])).toContain('nowhere.ply');
});

it('a scene that does not move is not trained to', async () => {
  const root = await temporaryFolder();
  const scene = await writeMovingScene(root);
  const refused = async (...more: readonly string[]): Promise<string> =>
    (await cli(['splat', 'train', scene, '--folder', join(root, 'run'), ...more])).err;
  expect(await refused('--out', 'x.ply')).toContain('[cli/splat] format holds no motion: --out=x.ply. End the name in .splats4d');
  const text = await readFile(join(scene, 'transforms.json'), 'utf8');
  await writeFile(join(scene, 'transforms.json'), text.replaceAll(/"time":[\d.]+/g, '"time":3'));
  expect(await refused('--deformation', 'mlp')).toContain(
    '[cli/splat] nothing moves in this scene: scene=walk, --deformation=mlp. Give every frame of its transforms.json a time',
  );
  await writeFile(join(scene, 'transforms.json'), text.replace('"time":10.5,', ''));
  expect(await refused()).toContain('[gaussians/scenes] some views have a time and some have none: view=images/s10.5-0.png');
});
