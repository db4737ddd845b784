import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuRasterizer, imageOf, turntable } from '@langevin/gaussians';
import { readImage, readSplatFile, writeImage } from '@langevin/io/node';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';
import { blobs, COUNT } from './splat-scenes.ts';

/** A COLMAP model in text, of nine views of the blobs. */
async function writeScene(root: string): Promise<string> {
  const folder = join(root, 'scene');
  await mkdir(join(folder, 'sparse', '0'), { recursive: true });
  await mkdir(join(folder, 'images'));
  const rasterizer = cpuRasterizer({ threads: 1 });
  const cameras = turntable({ centre: [0, 0, 0], radius: 1.6 }, { frames: 9, width: 24, height: 20 });
  const lines: string[] = [];
  for (const [i, camera] of cameras.entries()) {
    const name = `view ${i}.png`;
    await writeImage(join(folder, 'images', name), imageOf((await rasterizer.render(blobs(), camera)).color, camera));
    lines.push(
      `${i + 1} ${quaternion(camera.worldToCamera).join(' ')} ${[3, 7, 11].map((at) => camera.worldToCamera[at]).join(' ')} 1 ${name}`,
      '',
    );
  }
  await rasterizer.dispose();
  const { fx, fy, cx, cy } = cameras[0]!;
  await writeFile(join(folder, 'sparse', '0', 'cameras.txt'), `# comment\n1 PINHOLE 24 20 ${fx} ${fy} ${cx} ${cy}\n`);
  await writeFile(join(folder, 'sparse', '0', 'images.txt'), `${lines.join('\n')}\n`);
  const { means } = blobs();
  await writeFile(
    join(folder, 'sparse', '0', 'points3D.txt'),
    Array.from({ length: COUNT }, (_, i) => `${i} ${means.subarray(3 * i, 3 * i + 3).join(' ')} 128 128 128 0.5 1 0\n`).join(''),
  );
  return folder;
}

/** (w, x, y, z) of the rotation in [R | t]; its trace is never near -1 here. */
function quaternion(m: readonly number[]): number[] {
  const w = Math.sqrt(Math.max(1e-12, 1 + m[0]! + m[5]! + m[10]!)) / 2;
  if (w > 1e-3) return [w, (m[9]! - m[6]!) / (4 * w), (m[2]! - m[8]!) / (4 * w), (m[4]! - m[1]!) / (4 * w)];
  const y = Math.sqrt(Math.max(1e-12, 1 - m[0]! + m[5]! - m[10]!)) / 2;
  return [(m[2]! - m[8]!) / (4 * y), (m[1]! + m[4]!) / (4 * y), y, (m[6]! + m[9]!) / (4 * y)];
}

it('trains on photographs, resumes, converts, describes, and draws', async () => {
  const root = await temporaryFolder();
  const scene = await writeScene(root);
  const run = [
    'splat',
    'train',
    scene,
    '--folder',
    join(root, 'run'),
    '--out',
    join(root, 'scene.ply'),
    '--threads',
    '1',
    '--decay-steps',
    '400',
  ];
  const trained = await cli([...run, '--steps', '300']);
  expect(trained.code, trained.err).toBe(0);
  expect(trained.err).toContain('scene: 7 views of 24x20, 2 held out, 12 points');
  expect(trained.out).toMatch(
    /^finished at step 300: 12 Gaussians, [\d.]+ ms per step\nheld-out {4}PSNR [\d.]+ dB, SSIM [\d.]+ over 2 views\n/,
  );
  expect(await readFile(join(root, 'run', 'report.html'), 'utf8')).toContain('Held-out views: photograph, render');

  expect((await cli([...run, '--steps', '400'])).err).toContain('[gaussians/training] there is a checkpoint already');
  expect((await cli([...run, '--steps', '400', '--resume', '--seed', '1'])).err).toContain(
    'run was started with other settings: seed: stored 0, given 1',
  );
  const resumed = JSON.parse((await cli([...run, '--steps', '400', '--resume', '--json'])).out) as Record<string, number>;
  expect(resumed).toMatchObject({ step: 400, reason: 'finished', gaussians: COUNT });
  const first = JSON.parse(
    (await cli(['splat', 'train', scene, '--folder', join(root, 'first'), '--steps', '1', '--threads', '1', '--json'])).out,
  ) as Record<string, number>;
  // Grey dots of the wrong size and strength: half of their error is left at most.
  expect(resumed['psnr']! - first['psnr']!).toBeGreaterThan(3);

  const ply = join(root, 'scene.ply');
  const spz = join(root, 'scene.spz');
  expect((await cli(['splat', 'convert', ply, spz])).out).toContain('scene.spz: 12 Gaussians as spz');
  expect(JSON.parse((await cli(['splat', 'info', spz, '--json'])).out)).toMatchObject({ format: 'spz', gaussians: COUNT, degree: 3 });
  expect((await readSplatFile(ply)).means[0]).toBeCloseTo((await readSplatFile(spz)).means[0]!, 3);
  expect((await cli(['splat', 'info', ply])).out).toMatch(/format {6}ply\nGaussians {3}12, spherical harmonics up to degree 3\n/);

  const picture = join(root, 'x.png');
  const drawn = await cli(['splat', 'render', ply, '--camera', `${scene}:view 1`, '--out', picture, '--threads', '1']);
  expect(drawn.code, drawn.err).toBe(0);
  const [seen, photograph] = [await readImage(picture), await readImage(join(scene, 'images', 'view 1.png'))];
  expect([seen.width, seen.height]).toEqual([24, 20]);
  const error = seen.data.reduce((sum, value, i) => sum + Math.abs(value - photograph.data[i]!), 0) / seen.data.length;
  expect(error).toBeLessThan(25);

  expect(
    (await cli(['splat', 'render', ply, '--camera', '0,0,-5', '--target', '0,0,0', '--size', '30x20', '--out', picture, '--json'])).out,
  ).toContain('"width":30,"height":20,"frames":1');
  const turn = join(root, 'turn.gif');
  const turned = await cli(['splat', 'render', ply, '--out', turn, '--frames', '5', '--size', '32x24', '--threads', '1']);
  expect(turned.code, turned.err).toBe(0);
  expect(await sharp(turn).metadata()).toMatchObject({ format: 'gif', pages: 5, width: 32 });
  const film = join(root, 'turn.mp4');
  const filmed = await cli(['splat', 'render', ply, '--out', film, '--frames', '5', '--size', '33x23', '--threads', '1']);
  expect(filmed.code, filmed.err).toBe(0);
  expect((await readFile(film)).subarray(4, 8).toString()).toBe('ftyp');
}, 240_000);

it.each([
  [['splat', 'train', '/nowhere'], '[gaussians/scenes] no scene there: path=/nowhere.'],
  [
    ['splat', 'train', '/nowhere', '--strategy', 'mcmcs'],
    '[gaussians/strategies] unknown strategy: "mcmcs". Did you mean "mcmc"? Known: default, absgrad, mcmc.',
  ],
  [['splat', 'train', '/nowhere', '--set', 'cap=x'], '[cli/splat] option of a strategy must be a number: --set cap=x.'],
  [['splat', 'train', '/nowhere', '--out', 'x.obj'], '[io/splats] the name "x.obj" has the end of no known format.'],
  [['splat', 'train', '/nowhere', '--deformation', 'spline'], "argument 'spline' is invalid. Allowed choices are mlp, hexplane, none."],
  [
    ['splat', 'train', '/nowhere', '--deformation', 'mlp', '--set-motion', 'widht=3'],
    '[cli/splat] unknown option of the deformation: --set-motion widht=3. Did you mean "width"? Known of mlp:',
  ],
  [
    ['splat', 'train', '/nowhere', '--deformation', 'mlp', '--set-motion', 'width=0'],
    '[gaussians/dynamic] configuration is out of range: width=0. Give an integer from 1 to 4096.',
  ],
  [
    ['splat', 'train', '/nowhere', '--steps', '9', '--still-steps', '9'],
    '[cli/splat] no steps are left for the motion: --still-steps=9, --steps=9.',
  ],
  [
    ['splat', 'render', '/nowhere', '--out', 'x.webm'],
    '[cli/splat] format of the film is not written: --out=x.webm. Use one of: .gif, .mp4.',
  ],
  [['splat', 'render', '/nowhere'], '[cli/arguments] required option \'--out <file>\' not specified. See "langevin splat --help".'],
  [['splat', 'info', '/nowhere.ply'], '[io/read] cannot read "/nowhere.ply": code=ENOENT.'],
])('%j says what is wrong', async (args, message) => {
  const { code, out, err } = await cli(args);
  expect({ code, out, lines: err.trimEnd().split('\n').length }, err).toEqual({ code: 1, out: '', lines: 1 });
  expect(err).toContain(message);
});

it.each(['train', 'render', 'compose', 'convert', 'info'])('help of splat %s', async (name) => {
  const { code, out, err } = await cli(['splat', name, '--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(new RegExp(`^Usage: langevin splat ${name} `));
  expect(out).toContain('--json');
  expect(out).toContain(`Examples:\n  langevin splat ${name} `);
});
