import { extname } from 'node:path';
import { checkCamera, cpuRasterizer, imageOf, lookAt, MAX_SIDE, sceneBounds, scaleCamera, turntable, type Camera, type Gaussians, type Rasterizer } from '@langevin/gaussians';
import { loadScene } from '@langevin/gaussians/node';
import type { Image } from '@langevin/io';
import { readJson, readSplatFile, writeFileAtomic, writeImage } from '@langevin/io/node';
import { didYouMean, UnsupportedError, UserError } from '@langevin/tensor';
import { InvalidArgumentError, Option, type Command } from 'commander';
import sharp from 'sharp';
import { integer } from '../../arguments.ts';
import { showProgress } from '../../progress.ts';
import { line, type Terminal } from '../../terminal.ts';

interface RenderOptions {
  readonly out: string;
  readonly camera: string;
  readonly size?: readonly [number, number];
  readonly frames: number;
  readonly fps: number;
  readonly elevation: number;
  readonly fov: number;
  readonly up?: readonly [number, number, number];
  readonly target?: readonly [number, number, number];
  readonly background: 'black' | 'white';
  readonly threads?: number;
  readonly json?: true;
}

const AFTER_HELP = `
Examples:
  langevin splat render scene.ply --out front.png
  langevin splat render scene.ply --camera 0,-1,-4 --target 0,0,0 --size 640x480 --out view.png
  langevin splat render scene.ply --camera scenes/garden:IMG_0042.jpg --out held-out.png
  langevin splat render scene.ply --out turn.gif --frames 60 --elevation 25

--camera is one of: turntable (around the middle of the scene), a place x,y,z that looks at --target, a JSON file with width, height, fx, fy,
cx, cy and worldToCamera (12 numbers), or <scene folder>:<view>.`;

export function addSplatRender(program: Command, terminal: Terminal): void {
  program
    .command('render')
    .description('Draw a file of Gaussians: a picture, or a turntable as an animated GIF.')
    .argument('<file>', 'PLY, .splat or SPZ')
    .requiredOption('--out <file>', '.png, .jpg or .webp for a picture, .gif for a turntable')
    .option('--camera <camera>', 'from where, see below', 'turntable')
    .option('--size <width>x<height>', 'pixels (default: 512x512, or what the camera says)', size)
    .option('--frames <n>', 'views of a turn of the GIF', integer(2, 1000), 48)
    .option('--fps <n>', 'of the GIF', integer(1, 50), 20)
    .option('--elevation <degrees>', 'of the turntable above the horizon', degrees, 20)
    .option('--fov <degrees>', 'field of view across the smaller side', degrees, 50)
    .option('--up <x,y,z>', 'which way is up (default: 0,-1,0)', vector)
    .option('--target <x,y,z>', 'what a camera given as a place looks at (default: the middle of the scene)', vector)
    .addOption(new Option('--background <colour>', 'behind the scene').choices(['black', 'white']).default('black'))
    .option('--threads <n>', 'threads that draw (default: all cores, 8 at most)', integer(1, 64))
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP)
    .action((path: string, options: RenderOptions) => runRender(path, options, terminal));
}

async function runRender(path: string, options: RenderOptions, terminal: Terminal): Promise<void> {
  const moving = animated(options);
  const cloud = await readSplatFile(path);
  const cameras = await camerasOf(cloud, options, moving);
  const rasterizer = cpuRasterizer(options.threads === undefined ? {} : { threads: options.threads });
  const antialiasing = cloud.metadata?.antialiased ? 'mip' : 'none';
  const started = performance.now();
  const images: Image[] = [];
  const progress = moving ? showProgress(terminal, { name: 'drawing', unit: 'frame', total: cameras.length }) : undefined;
  try {
    for (const camera of cameras) {
      if (terminal.signal.aborted) throw new UserError(`[cli/splat] stopped before the end: frames done=${images.length} of ${cameras.length}. No picture was written.`);
      images.push(await draw(rasterizer, cloud, { camera, antialiasing, background: options.background }));
      progress?.update(images.length, '');
    }
  } finally {
    progress?.stop();
    await rasterizer.dispose();
  }
  const milliseconds = (performance.now() - started) / images.length;
  if (moving) await writeFileAtomic(options.out, await gif(images, options.fps));
  else await writeImage(options.out, images[0]!);
  const { width, height } = images[0]!;
  if (options.json) return line(terminal, JSON.stringify({ out: options.out, width, height, frames: images.length, gaussians: cloud.count, millisecondsPerFrame: milliseconds }));
  line(terminal, `${options.out}: ${width}x${height}${moving ? `, ${images.length} frames` : ''}, ${milliseconds.toFixed(1)} ms ${moving ? 'each' : 'to draw'}`);
}

/** @throws UnsupportedError for films: no encoder is part of this program */
function animated({ out, camera }: RenderOptions): boolean {
  const end = extname(out).toLowerCase();
  if (['.mp4', '.webm', '.mov'].includes(end)) throw new UnsupportedError(`[cli/splat] films are not written: --out=${out}, no video encoder comes with this command. Write a .gif.`);
  if (end === '.gif' && camera !== 'turntable') throw new UserError(`[cli/splat] a GIF shows a turn: --out=${out}, --camera=${camera}. Leave --camera out, or write a .png.`);
  if (!['.gif', '.png', '.jpg', '.jpeg', '.webp'].includes(end)) throw new UserError(`[cli/splat] cannot tell the format of "${out}". End its name in .png, .jpg, .webp or .gif.`);
  return end === '.gif';
}

async function camerasOf(gaussians: Gaussians, options: RenderOptions, moving: boolean): Promise<readonly Camera[]> {
  const [width, height] = options.size ?? [512, 512];
  const { camera, elevation, fov, up } = options;
  const bounds = sceneBounds(gaussians);
  if (camera === 'turntable') return turntable(bounds, { frames: moving ? options.frames : 1, width, height, elevation, fieldOfView: fov, ...(up && { up }) });
  const place = /^[-+\d.eE]+(,[-+\d.eE]+){2}$/.test(camera) ? vector(camera) : undefined;
  if (place !== undefined) {
    const focal = Math.min(width, height) / 2 / Math.tan((fov * Math.PI) / 360);
    return [lookAt({ width, height, fx: focal, fy: focal, cx: width / 2, cy: height / 2, eye: place, target: options.target ?? bounds.centre, ...(up && { up }) })];
  }
  const found = camera.endsWith('.json') ? await cameraOfFile(camera) : await cameraOfScene(camera);
  return [options.size === undefined ? found : scaleCamera(found, { width, height })];
}

async function cameraOfFile(path: string): Promise<Camera> {
  const value = await readJson(path);
  const given = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<keyof Camera, unknown>>;
  const number = (name: keyof Camera): number => (typeof given[name] === 'number' ? given[name] : NaN);
  const pose = Array.isArray(given.worldToCamera) ? given.worldToCamera.map((entry) => (typeof entry === 'number' ? entry : NaN)) : [];
  const camera: Camera = { width: number('width'), height: number('height'), fx: number('fx'), fy: number('fy'), cx: number('cx'), cy: number('cy'), worldToCamera: pose, ...(given.kind === 'orthographic' && { kind: 'orthographic' }) };
  checkCamera('cli/splat', camera);
  return camera;
}

async function cameraOfScene(text: string): Promise<Camera> {
  const at = text.lastIndexOf(':');
  if (at < 1) throw new UserError(`[cli/splat] camera is not understood: --camera=${text}. Give turntable, x,y,z, a JSON file, or <scene folder>:<view>.`);
  const name = text.slice(at + 1);
  const { train } = await loadScene(text.slice(0, at), { holdOut: 'none' });
  const view = train.find((candidate) => candidate.name === name || candidate.name.replace(/\.[^./]+$/, '') === name);
  if (view === undefined) throw new UserError(`[cli/splat] scene has no view of that name: "${name}".${didYouMean(name, train.map((candidate) => candidate.name))} It has ${train.length}, the first is ${train[0]!.name}.`);
  return view.camera;
}

async function draw(rasterizer: Rasterizer, gaussians: Gaussians, options: { readonly camera: Camera; readonly antialiasing: 'none' | 'mip'; readonly background: 'black' | 'white' }): Promise<Image> {
  const { camera, antialiasing, background } = options;
  const { color } = await rasterizer.render(gaussians, camera, { antialiasing, background: background === 'white' ? [1, 1, 1] : [0, 0, 0] });
  return imageOf(color, camera);
}

async function gif(images: readonly Image[], fps: number): Promise<Uint8Array> {
  const { width, height } = images[0]!;
  const frame = width * height * 3;
  const pages = new Uint8Array(frame * images.length);
  for (const [i, image] of images.entries()) pages.set(image.data, i * frame);
  return sharp(pages, { limitInputPixels: false, raw: { width, height: height * images.length, channels: 3, pageHeight: height } }).gif({ delay: images.map(() => Math.round(1000 / fps)), loop: 0 }).toBuffer();
}

function vector(text: string): readonly [number, number, number] {
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (values.length === 3 && values.every(Number.isFinite)) return values as unknown as readonly [number, number, number];
  throw new InvalidArgumentError('Give three numbers with commas between them.');
}

function size(text: string): readonly [number, number] {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const sides = [Number(match?.[1]), Number(match?.[2])] as const;
  if (sides.every((side) => side >= 1 && side <= MAX_SIDE)) return sides;
  throw new InvalidArgumentError(`Give <width>x<height>, up to ${MAX_SIDE} each.`);
}

function degrees(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Math.abs(value) < 170) return value;
  throw new InvalidArgumentError('Give degrees between -170 and 170.');
}
