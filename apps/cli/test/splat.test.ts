import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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

  expect((await cli([...run, '--steps', '400'])).err).toContain('[training/train] there is a run already');
  expect((await cli([...run, '--steps', '400', '--resume', '--seed', '1'])).err).toContain(
    'run was started with another configuration: seed: stored 0, given 1',
  );
  const resumed = JSON.parse((await cli([...run, '--steps', '400', '--resume', '--json'])).out) as Record<string, number>;
  expect(resumed).toMatchObject({ step: 400, reason: 'finished', gaussians: COUNT });
  const newest = join(root, 'run', 'checkpoints', 'step-00000400.safetensors');
  expect(resumed['checkpoint']).toBe(newest);
  expect(await readdir(join(root, 'run', 'evaluations', 'step-00000400', 'held-out'))).toEqual(['scores.csv', 'view_0.png', 'view_8.png']);

  // A newest checkpoint that is damaged is named, with what to do, and the one before it taken when asked.
  await writeFile(newest, 'x');
  expect((await cli([...run, '--steps', '400', '--resume'])).err).toMatch(
    /newest checkpoint cannot be read: .* To resume from step 300, .*--resume-previous/,
  );
  const previous = await cli([...run, '--steps', '400', '--resume-previous', '--json']);
  expect(previous.err).toContain('training: resumed at step 300');
  expect(JSON.parse(previous.out)).toMatchObject({ step: 400, psnr: resumed['psnr'] });
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

it('trains on a scene as people have them: on a map, with z up, a picture short; and goes on for more steps', async () => {
  const root = await temporaryFolder();
  const scene = await writeScene(root);
  const [x, y, z] = [500_000, 5_000_000, 100];
  const circle = turntable({ centre: [0, 0, 0], radius: 1.6 }, { frames: 9, width: 24, height: 20 });
  // Turned so that z is up, and moved to where maps are.
  const frames = circle.map(({ worldToCamera: w }, i) => {
    const eye = [0, 1, 2].map((axis) => -(w[axis]! * w[3]! + w[4 + axis]! * w[7]! + w[8 + axis]! * w[11]!));
    const column = (row: 0 | 4 | 8, sign: number): number[] => [sign * w[row]!, sign * w[row + 2]!, -sign * w[row + 1]!];
    const columns = [column(0, 1), column(4, -1), column(8, -1), [eye[0]! + x, eye[2]! + y, z - eye[1]!]];
    const rows = [0, 1, 2].map((axis) => columns.map((values) => values[axis]!));
    return { file_path: `images/view ${i}.png`, transform_matrix: [...rows, [0, 0, 0, 1]] };
  });
  const { fx, fy, cx, cy } = circle[0]!;
  await rm(join(scene, 'sparse'), { recursive: true });
  await rm(join(scene, 'images', 'view 3.png'));
  await writeFile(join(scene, 'transforms.json'), JSON.stringify({ w: 24, h: 20, fl_x: fx, fl_y: fy, cx, cy, frames }));
  const run = ['splat', 'train', scene, '--folder', join(root, 'run'), '--threads', '1', '--init', 'random', '--init-count', '50'];
  const ply = join(root, 'new', 'folder', 'scene.ply');

  const strict = await cli([...run, '--steps', '5', '--strict']);
  expect(strict).toMatchObject({ code: 1, out: '' });
  expect(strict.err).toContain('views of the scene cannot be used: ');
  expect(strict.err).toContain(
    '1 of 9 views are left out, its picture is not where transforms.json says: images/view 3.png. Put the files',
  );

  const trained = await cli([...run, '--steps', '30', '--out', ply]);
  expect(trained.code, trained.err).toBe(0);
  for (const said of [
    '1 of 9 views are left out',
    'places are far from the origin',
    'up is (0, 0, 1), as the cameras stand; --up gives another',
  ])
    expect(trained.err).toContain(said);
  const { metadata } = await readSplatFile(ply);
  expect(metadata?.up).toEqual([0, 0, 1]);
  expect(Math.hypot(...metadata!.origin!.map((value, axis) => value - [x, y, z][axis]!))).toBeLessThan(20);
  // The camera is found in the world of the scene's files, and so are the Gaussians.
  const picture = join(root, 'x.png');
  const drawn = await cli(['splat', 'render', ply, '--camera', `${scene}:view 1`, '--out', picture, '--threads', '1']);
  expect(drawn.code, drawn.err).toBe(0);
  expect((await readImage(picture)).data.some((value) => value > 20)).toBe(true);

  const longer = await cli([...run, '--steps', '40', '--out', join(root, 'scene.spz'), '--resume', '--json']);
  expect(longer.code, longer.err).toBe(0);
  expect(longer.err).toContain('spz holds no places so far from 0: ');
  expect(JSON.parse(longer.out)).toMatchObject({ step: 40, reason: 'finished' });
}, 240_000);

it.each([
  [['splat', 'train', '/nowhere'], '[gaussians/scenes] no scene there: path=/nowhere.'],
  [
    ['splat', 'train', '/nowhere', '--strategy', 'mcmcs'],
    '[strategy] unknown strategy: "mcmcs". Did you mean "mcmc"? Known: absgrad, default, mcmc.',
  ],
  [['splat', 'train', '/nowhere', '--set', 'cap=x'], '[gaussians/strategies] cap is out of range: cap="x". Pass an integer >= 1.'],
  [['splat', 'train', '/nowhere', '--set', 'caps=100'], '[strategy/default] unknown option: "caps".'],
  [['splat', 'train', '/nowhere', '--set', 'cap=true'], '[cli/splat] option of a strategy is a number or a name: --set cap=true.'],
  [['splat', 'train', '/nowhere', '--out', 'x.obj'], '[io/splats] the name "x.obj" has the end of no known format.'],
  [['splat', 'train', '/nowhere', '--deformation', 'spline'], 'unknown deformation: "spline"'],
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
    ['splat', 'train', '/nowhere', '--resume', '--resume-previous'],
    '[cli/splat] a run goes on from one checkpoint: --resume and --resume-previous are both given. Give one of them.',
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

it.each(['example', 'train', 'render', 'compose', 'convert', 'info'])('help of splat %s', async (name) => {
  const { code, out, err } = await cli(['splat', name, '--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(new RegExp(`^Usage: langevin splat ${name} `));
  expect(out).toContain('--json');
  expect(out).toContain(`Examples:\n  langevin splat ${name} `);
});
