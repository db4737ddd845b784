import type { Camera } from '@langevin/core';
import { extname } from 'node:path';
import { cpuRasterizer, imageOf, scaleCamera, type Rendering } from '@langevin/gaussians';
import { filmPalette, type Image } from '@langevin/io';
import { checkOutputFile, filmExtensions, imageExtensions, prepareOutputFile, writeFilm, writeImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { Option, type Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';
import { integer } from '../../arguments.ts';
import { showProgress } from '../../progress.ts';
import { stopHere } from '../../stopping.ts';
import { line } from '../../terminal.ts';
import { degrees, finite, size, vector } from './arguments.ts';
import { openAsset, type OpenedAsset } from './asset.ts';
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

export function addSplatRender(program: Command, terminal: CommandContext): void {
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
    .option('--up <x,y,z>', 'which way is up (default: what the file says, otherwise 0,-1,0)', vector)
    .option('--target <x,y,z>', 'what a camera given as a place looks at (default: the middle of the scene)', vector)
    .addOption(new Option('--background <colour>', 'behind the scene').choices(['black', 'white']).default('black'))
    .option('--threads <n>', 'threads that draw (default: all cores, 8 at most)', integer(1, 64))
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP)
    .action((path: string, options: RenderOptions) => runRender(path, options, terminal));
}

async function runRender(path: string, options: RenderOptions, terminal: CommandContext): Promise<void> {
  const { out } = options;
  const started = performance.now();
  const isFilm = filmExtensions.includes(ending(out));
  await checkOutputFile(out);
  const asset = await openAsset(path, {}, terminal);
  const plan = planOf(asset, options, isFilm ? 'film' : 'picture');
  const { up, origin } = asset.metadata ?? {};
  const cameras = await camerasOf(
    asset.still,
    { ...(up && { up }), ...options, ...(origin && { origin }) },
    { frames: plan.times.length, turns: plan.turns },
  );
  const { width, height } = cameras[0]!;
  await prepareOutputFile(out);
  const shots = cameras.map((camera, frame) => ({ camera, time: plan.times[frame] }));
  const draw = drawing(asset, options);
  try {
    if (isFilm) await film(shots, { draw, options, terminal });
    else await writeImage(out, await draw.picture(shots[0]!));
  } finally {
    await draw.dispose();
  }
  // All of it: reading, drawing, encoding, writing.
  const seconds = (performance.now() - started) / 1000;
  const drawn = draw.milliseconds() / cameras.length;
  if (options.json)
    return line(
      terminal,
      JSON.stringify({
        out,
        width,
        height,
        frames: cameras.length,
        ...(plan.times[0] !== undefined && { from: plan.times[0], to: plan.times.at(-1) }),
        gaussians: asset.still.count,
        seconds,
        millisecondsToDraw: drawn,
      }),
    );
  line(
    terminal,
    isFilm
      ? `${out}: ${width}x${height}, ${cameras.length} frames in ${seconds.toFixed(1)} s, ${drawn.toFixed(1)} ms to draw each`
      : `${out}: ${width}x${height}, ${drawn.toFixed(1)} ms to draw`,
  );
}

/** From where and when a picture is taken. */
interface Shot {
  readonly camera: Camera;
  /** Undefined for what stands still. */
  readonly time: number | undefined;
}

interface Drawing {
  readonly picture: (shot: Shot) => Promise<Image>;
  /** That drawing took until now. */
  readonly milliseconds: () => number;
  readonly dispose: () => Promise<void>;
}

function drawing(asset: OpenedAsset, { threads, background }: RenderOptions): Drawing {
  const rasterizer = cpuRasterizer(threads === undefined ? {} : { threads });
  const settings = {
    antialiasing: asset.antialiased ? 'mip' : 'none',
    background: background === 'white' ? [1, 1, 1] : [0, 0, 0],
  } as const;
  let reuse: Rendering | undefined;
  let milliseconds = 0;
  return {
    picture: async ({ camera, time }) => {
      const started = performance.now();
      reuse = await rasterizer.render(time === undefined ? asset.still : asset.at(time), camera, { ...settings, reuse });
      milliseconds += performance.now() - started;
      return imageOf(reuse.color, camera);
    },
    milliseconds: () => milliseconds,
    dispose: () => rasterizer.dispose(),
  };
}

/** Frames that the palette of a GIF is made from, from all parts of the film and small: colours, not details, are looked for. */
const PALETTE_FRAMES = 8;
const PALETTE_SIDE = 160;

/** Draws and writes a film frame by frame; between two frames the user can end that, and no file is left. */
async function film(
  shots: readonly Shot[],
  { draw, options, terminal }: { readonly draw: Drawing; readonly options: RenderOptions; readonly terminal: CommandContext },
): Promise<void> {
  const { width, height } = shots[0]!.camera;
  const progress = showProgress(terminal, { name: 'drawing', unit: 'frame', total: shots.length });
  const frames = async function* (): AsyncGenerator<Image, void> {
    for (const [frame, shot] of shots.entries()) {
      await stopHere(terminal, () => `frames done=${frame} of ${shots.length}`);
      yield await draw.picture(shot);
      // It comes back here when the frame is in the film.
      progress.update(frame + 1, '');
    }
    await stopHere(terminal, () => `frames done=${shots.length} of ${shots.length}`);
  };
  const samples: Image[] = [];
  try {
    if (ending(options.out) === '.gif') {
      const scale = Math.min(1, PALETTE_SIDE / Math.max(width, height));
      const size = { width: Math.max(1, Math.round(scale * width)), height: Math.max(1, Math.round(scale * height)) };
      const step = Math.max(1, shots.length / PALETTE_FRAMES);
      for (let at = 0; at < shots.length; at += step) {
        const shot = shots[Math.floor(at)]!;
        await stopHere(terminal, () => `frames done=0 of ${shots.length}`);
        samples.push(await draw.picture({ ...shot, camera: scaleCamera(shot.camera, size) }));
      }
    }
    await writeFilm(options.out, frames(), {
      width,
      height,
      framesPerSecond: options.fps,
      ...(samples.length > 0 && { palette: filmPalette(samples) }),
    });
  } finally {
    progress.stop();
  }
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
  const [films, pictures] = [filmExtensions.join(', '), imageExtensions.join(', ')];
  if (['.webm', '.mov', '.avi', '.mkv', '.apng'].includes(end))
    throw new UserError(`[cli/splat] format of the film is not written: --out=${out}. Use one of: ${films}.`);
  if (![...imageExtensions, ...filmExtensions].includes(end))
    throw new UserError(`[cli/splat] cannot tell the format of the picture: --out=${out}. Use one of: ${pictures}; for a film: ${films}.`);
  return end;
}
