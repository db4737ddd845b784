import { extname } from 'node:path';
import { cpuRasterizer, imageOf, type Rendering } from '@langevin/gaussians';
import { writeFileAtomic, writeImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { Option, type Command } from 'commander';
import { integer } from '../../arguments.ts';
import { showProgress } from '../../progress.ts';
import { line, type Terminal } from '../../terminal.ts';
import { degrees, finite, size, vector } from './arguments.ts';
import { openAsset, type OpenedAsset } from './asset.ts';
import { gifFilm, mp4Film } from './film.ts';
import { camerasOf, type CameraOptions } from './render-camera.ts';

interface RenderOptions extends CameraOptions {
  readonly out: string;
  readonly time?: number;
  readonly frames: number;
  readonly turns?: number;
  readonly fps: number;
  readonly background: 'black' | 'white';
  readonly threads?: number;
  readonly json?: true;
}

const AFTER_HELP = `
Examples:
  langevin splat render scene.ply --out front.png
  langevin splat render scene.ply --camera 0,-1,-4 --target 0,0,0 --size 640x480 --out view.png
  langevin splat render scene.ply --camera scenes/garden:IMG_0042.jpg --out held-out.png
  langevin splat render scene.ply --out turn.mp4 --frames 120 --elevation 25
  langevin splat render walk.splats4d --time 0.5 --out middle.png
  langevin splat render walk.splats4d --out walk.gif                       all its time, seen from one place
  langevin splat render walk.splats4d --out walk.mp4 --turns 1             all its time, on one turn around it
  langevin splat render room-with-cat.json --out room.mp4                  a scene file of "langevin splat compose"

--camera is one of: turntable (around the middle of the scene), a place x,y,z that looks at --target, a JSON file with width, height, fx,
fy, cx, cy and worldToCamera (12 numbers), or <scene folder>:<view>. A film of what stands still is a turn; one of what moves runs through
its time, or, with --time, is a turn around that moment.`;

const PICTURES = ['.png', '.jpg', '.jpeg', '.webp'];
const FILMS = ['.gif', '.mp4'];

export function addSplatRender(program: Command, terminal: Terminal): void {
  program
    .command('render')
    .description('Draw a file of Gaussians: a picture, or a film of a turn around it or of its motion.')
    .argument('<file>', 'PLY, .splat, SPZ, a 4D container, or a scene file (.json)')
    .requiredOption('--out <file>', '.png, .jpg or .webp for a picture, .gif or .mp4 for a film')
    .option('--camera <camera>', 'from where, see below', 'turntable')
    .option('--time <t>', 'of what moves, in the units of the file (default: its beginning; in films, all of it)', finite)
    .option('--size <width>x<height>', 'pixels (default: 512x512, or what the camera says)', size)
    .option('--frames <n>', 'pictures of a film', integer(2, 1000), 48)
    .option('--turns <n>', 'turns of the turntable in a film (default: 1, or 0 where time runs)', integer(0, 100))
    .option('--fps <n>', 'pictures of a film in a second', integer(1, 50), 20)
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
  const end = ending(options.out);
  const isFilm = FILMS.includes(end);
  const asset = await openAsset(path);
  const plan = planOf(asset, options, isFilm ? 'film' : 'picture');
  const { times } = plan;
  const cameras = await camerasOf(asset.still, options, { frames: times.length, turns: plan.turns });
  const { width, height } = cameras[0]!;
  const film = isFilm ? await (end === '.gif' ? gifFilm : mp4Film)({ width, height, fps: options.fps, frames: times.length }) : undefined;
  const rasterizer = cpuRasterizer(options.threads === undefined ? {} : { threads: options.threads });
  const settings = {
    antialiasing: asset.antialiased ? 'mip' : 'none',
    background: options.background === 'white' ? [1, 1, 1] : [0, 0, 0],
  } as const;
  const started = performance.now();
  const progress = isFilm ? showProgress(terminal, { name: 'drawing', unit: 'frame', total: cameras.length }) : undefined;
  let rendering: Rendering | undefined;
  try {
    for (const [frame, camera] of cameras.entries()) {
      if (terminal.signal.aborted)
        throw new UserError(`[cli/splat] stopped before the end: frames done=${frame} of ${cameras.length}. No picture was written.`);
      const time = times[frame];
      rendering = await rasterizer.render(time === undefined ? asset.still : asset.at(time), camera, { ...settings, reuse: rendering });
      const image = imageOf(rendering.color, camera);
      if (film === undefined) await writeImage(options.out, image);
      else film.add(image);
      progress?.update(frame + 1, '');
    }
  } finally {
    progress?.stop();
    await rasterizer.dispose();
  }
  const milliseconds = (performance.now() - started) / cameras.length;
  if (film !== undefined) await writeFileAtomic(options.out, await film.finish());
  if (options.json)
    return line(
      terminal,
      JSON.stringify({
        out: options.out,
        width,
        height,
        frames: cameras.length,
        ...(times[0] !== undefined && { from: times[0], to: times.at(-1) }),
        gaussians: asset.still.count,
        millisecondsPerFrame: milliseconds,
      }),
    );
  line(
    terminal,
    `${options.out}: ${width}x${height}${isFilm ? `, ${cameras.length} frames` : ''}, ${milliseconds.toFixed(1)} ms `
      + `${isFilm ? 'each' : 'to draw'}`,
  );
}

interface Plan {
  /** The moment of each frame; undefined for what stands still. */
  readonly times: readonly (number | undefined)[];
  readonly turns: number;
}

/** Which moments are shown, and how far the camera turns meanwhile. */
function planOf({ times, at }: OpenedAsset, { time, frames, turns, camera, out }: RenderOptions, what: 'film' | 'picture'): Plan {
  const isFilm = what === 'film';
  if (time !== undefined) at(time);
  const runs = times !== undefined && time === undefined && isFilm;
  const moments = Array.from({ length: isFilm ? frames : 1 }, (_, frame) =>
    runs ? times.start + ((times.end - times.start) * frame) / (frames - 1) : time,
  );
  // The last one is the end, whatever rounding says.
  if (runs) moments[frames - 1] = times.end;
  if (!isFilm && turns !== undefined)
    throw new UserError(`[cli/splat] a picture does not turn: --turns=${turns}, --out=${out}. Write a .gif or .mp4.`);
  if (isFilm && camera !== 'turntable' && (turns ?? 0) > 0)
    throw new UserError(`[cli/splat] only the turntable turns: --turns=${turns}, --camera=${camera}. Leave one of them out.`);
  if (isFilm && camera !== 'turntable' && !runs)
    throw new UserError(
      `[cli/splat] nothing would move in this film: --out=${out}, --camera=${camera}. Leave --camera out for a turn, or write a .png.`,
    );
  return { times: moments, turns: camera !== 'turntable' ? 0 : (turns ?? (runs ? 0 : 1)) };
}

/** @throws UserError for names that say no format */
function ending(out: string): string {
  const end = extname(out).toLowerCase();
  if (['.webm', '.mov'].includes(end)) throw new UserError(`[cli/splat] films are written as .mp4 or .gif: --out=${out}.`);
  if (![...PICTURES, ...FILMS].includes(end))
    throw new UserError(`[cli/splat] cannot tell the format of "${out}". End its name in .png, .jpg, .webp, .gif or .mp4.`);
  return end;
}
