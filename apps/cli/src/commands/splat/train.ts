import { join } from 'node:path';
import {
  cpuRasterizer,
  holdOutGap,
  strategyByName,
  trainSplats,
  type HoldOut,
  type ShDegree,
  type SplatScene,
  type TrainingBackground,
} from '@langevin/gaussians';
import { loadScene } from '@langevin/gaussians/node';
import { checkOutputFile, checkOutputFolder, makeFolder, prepareOutputFile, writeSplatFile } from '@langevin/io/node';
import { splatFormatForName, type SplatFormat, type SplatMetadata } from '@langevin/io/splats';
import { shownValue, UserError } from '@langevin/tensor';
import { folderStore } from '@langevin/training/node';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';
import type { Registries } from '../../families.ts';
import { integer, list, setting } from '../../arguments.ts';
import { showCount } from '../../table.ts';
import { line, remark } from '../../terminal.ts';
import { vector } from './arguments.ts';
import { follow } from './follow.ts';
import { INITS, withPoints, type InitOptions } from './initial-points.ts';
import { deformationMaker, runMotion } from './train-motion.ts';

interface TrainOptions extends InitOptions {
  readonly out?: string;
  readonly folder?: string;
  readonly steps: number;
  readonly decaySteps?: number;
  readonly resume?: true;
  readonly resumePrevious?: true;
  readonly images?: string;
  readonly model?: string;
  readonly strict?: true;
  readonly up?: readonly [number, number, number];
  readonly downscale: number;
  readonly holdOut?: HoldOut;
  readonly strategy: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly background: TrainingBackground;
  readonly antialiasing?: true;
  readonly degree: number;
  readonly depthWeight: number;
  readonly opacityRegularizer?: number;
  readonly scaleRegularizer?: number;
  /** A name, or `none`. */
  readonly deformation?: string;
  readonly setMotion?: Readonly<Record<string, unknown>>;
  readonly stillSteps?: number;
  readonly stillViews?: 'first' | 'all';
  readonly holdAsset?: true;
  readonly threads?: number;
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
  readonly json?: true;
}

/** Where held-out views lie between the others, this is about 1. */
const WIDE_GAP = 1.5;

const AFTER_HELP = `
Examples:
  langevin splat train scenes/garden --steps 7000 --downscale 4 --out garden.ply
  langevin splat train scenes/garden --strategy mcmc --set cap=500000 --out garden.spz
  langevin splat train scenes/garden --steps 7000 --downscale 4 --out garden.ply --resume
  langevin splat train scenes/jumping-jacks --steps 10000 --background white --out jump.splats4d       frames with times
  langevin splat train scenes/jumping-jacks --deformation hexplane --set-motion resolution=32 --out jump.splats4d

A scene is a folder with a COLMAP model (sparse/0, binary or text) and images, or with a transforms.json of nerfstudio or Blender. Every 8th
view is held out. Ctrl+C writes a checkpoint and ends; --resume, with the same options, goes on from the newest checkpoint to the same
bytes as if nothing had happened. The folder holds report.html (held-out views and curves), log.jsonl, evaluations/ and checkpoints/.

Where the frames of a transforms.json have a "time", the scene moves: an asset at rest is trained first (--still-steps of the steps, on the
views of the first moment if there are 8, otherwise on all), then the motion, and the asset with it. The folder then holds still/ and
motion/.`;

export function addSplatTrain(program: Command, terminal: CommandContext): void {
  program
    .command('train')
    .description('Train Gaussians on posed photographs.')
    .argument('<scene>', 'folder of a COLMAP model or a transforms.json')
    .option(
      '--out <file>',
      'where the Gaussians go: .ply, .splat, .spz, or .splats4d for a scene in motion (default: scene.ply or scene.splats4d in the folder)',
    )
    .option('--folder <folder>', 'where the run is kept (default: runs/splat-<name of the scene>)')
    .option('--steps <n>', 'steps in all, those before a resume included', integer(1, 1e7), 30_000)
    .option('--decay-steps <n>', 'steps over which the rate of the places falls (default: --steps)', integer(1, 1e7))
    .option('--resume', 'go on from the newest checkpoint of the folder, if there is one')
    .option('--resume-previous', 'go on from the checkpoint before the newest, which is damaged or no good: it is set aside')
    .option('--images <folder>', 'images of a COLMAP model (default: images in the scene)')
    .option('--model <folder>', 'of several COLMAP models the one to read, such as sparse/1 (default: the one with the most images)')
    .option('--strict', 'refuse a scene of which views cannot be used, in place of leaving them out')
    .option('--up <x,y,z>', 'which way is up in the world, kept in the file (default: as the cameras stand)', vector)
    .option('--downscale <factor>', 'divide the sides of images by this', factor, 1)
    .option(
      '--hold-out <views>',
      'names with commas, or a number for every n-th, or none (default: what the scene says, otherwise every 8th)',
      holdOut,
    )
    .option('--strategy <name>', 'how the number of Gaussians changes; "langevin list strategies" shows them', 'default')
    .option('--set <option=value>', 'an option of the strategy, such as cap=200000; may be given several times', setting)
    .addOption(
      new Option(
        '--init <how>',
        'where Gaussians begin: points of the scene, where photographs agree (views), pixels of depth maps, or random (default: '
          + 'points where the scene has them, otherwise views)',
      ).choices([...INITS]),
    )
    .option('--init-count <n>', 'how many of them, for views and random', integer(1, 1e6), 10_000)
    .addOption(new Option('--background <colour>', 'behind the scene').choices(['black', 'white', 'random']).default('black'))
    .option('--degree <n>', 'of the spherical harmonics, 0 to 3: how colours change with the direction', integer(0, 3), 3)
    .option('--depth-weight <w>', 'weight of the depth maps of a transforms.json in the loss', weight, 0)
    .option('--opacity-regularizer <w>', 'weight of the mean opacity (default: 0, with mcmc 0.01)', weight)
    .option('--scale-regularizer <w>', 'weight of the mean size (default: 0, with mcmc 0.01)', weight)
    .option('--antialiasing', 'keep the light of Gaussians smaller than a pixel (Mip-Splatting)')
    .option(
      '--deformation <kind>',
      'how a scene moves, or none; "langevin list deformations" shows them (default: mlp where frames have times, none elsewhere)',
    )
    .option('--set-motion <option=value>', 'an option of the deformation, such as width=64, or in JSON; may be given again', setting)
    .option(
      '--still-steps <n>',
      'steps of the asset at rest before it moves (default: a quarter of --steps, 3000 at most)',
      integer(1, 1e7),
    )
    .addOption(
      new Option('--still-views <which>', 'views that the asset at rest begins with (default: see below)').choices(['first', 'all']),
    )
    .option('--hold-asset', 'the asset stays as it is while the motion is trained')
    .option('--seed <n>', 'of everything random', integer(0), 0)
    .option('--threads <n>', 'threads that draw (default: all cores, 8 at most)', integer(1, 64))
    .option('--evaluate-every <n>', 'steps between evaluations on held-out views; 0: at the end only', integer(0, 1e7), 1000)
    .option('--checkpoint-every <n>', 'steps between checkpoints', integer(1, 1e7), 1000)
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP)
    .action((path: string, options: TrainOptions) => runTraining(path, options, terminal));
}

async function runTraining(path: string, options: TrainOptions, terminal: CommandContext): Promise<void> {
  const { strategies, splatFormats: formats } = terminal.registries;
  checkBefore(options, terminal.registries);
  if (options.out !== undefined) await checkOutputFile(options.out);
  if (options.folder !== undefined) await checkOutputFolder(options.folder);
  const strategy = strategyByName(options.strategy, settings(options.set ?? {}), strategies);
  const loaded = await loadScene(path, {
    downscale: options.downscale,
    ...(options.images !== undefined && { images: options.images }),
    ...(options.holdOut !== undefined && { holdOut: options.holdOut }),
    ...(options.model !== undefined && { model: options.model }),
    ...(options.up !== undefined && { up: options.up }),
    ...(options.strict && { unusable: 'refuse' }),
  });
  const kind = deformationOf(loaded, options, formats);
  const { scene, from } = withPoints(loaded, options);
  if (options.depthWeight > 0 && !scene.train.some(({ depth }) => depth !== undefined))
    throw new UserError(
      `[cli/splat] scene has no depth maps: scene=${scene.name}, --depth-weight=${options.depthWeight}. Name them as `
        + 'depth_file_path in transforms.json, or leave it out.',
    );
  const first = scene.train[0]!.camera;
  remark(terminal, `${scene.name}: ${scene.train.length} views of ${first.width}x${first.height}, ${scene.test.length} held out, ${from}`);
  for (const text of scene.remarks ?? []) remark(terminal, text);
  if (options.up === undefined && scene.up !== undefined && scene.up[1] !== -1)
    remark(terminal, `up is (${scene.up.map((value) => Number(value.toFixed(3))).join(', ')}), as the cameras stand; --up gives another`);
  const gap = holdOutGap(scene);
  if (gap !== undefined && gap > WIDE_GAP)
    remark(
      terminal,
      `held-out views are ${gap.toFixed(1)} times as far from the nearest training view as those are from each other: their score `
        + 'tells how unseen sides are guessed; --hold-out takes others',
    );
  const folder = options.folder ?? join('runs', `splat-${scene.name}`);
  const out = options.out ?? join(folder, kind === undefined ? 'scene.ply' : 'scene.splats4d');
  const metadata = metadataOf(scene, { out, antialiased: options.antialiasing ?? false }, terminal);
  await makeFolder(folder);
  await prepareOutputFile(out);
  const rasterizer = cpuRasterizer(options.threads === undefined ? {} : { threads: options.threads });
  const common = {
    rasterizer,
    strategy,
    steps: options.steps,
    start: options.resumePrevious ? 'previous' : options.resume ? 'resume' : 'new',
    seed: options.seed,
    background: options.background,
    antialiasing: options.antialiasing ? 'mip' : 'none',
    degree: options.degree as ShDegree,
    depthWeight: options.depthWeight,
    ...(options.opacityRegularizer !== undefined && { opacityRegularizer: options.opacityRegularizer }),
    ...(options.scaleRegularizer !== undefined && { scaleRegularizer: options.scaleRegularizer }),
    evaluateEvery: options.evaluateEvery,
    checkpointEvery: options.checkpointEvery,
    signal: terminal.signal,
    onAbort: 'evaluate',
  } as const;
  try {
    if (kind !== undefined) {
      return await runMotion(
        {
          kind,
          set: options.setMotion ?? {},
          known: terminal.registries.deformations,
          ...(options.stillSteps !== undefined && { stillSteps: options.stillSteps }),
          holdAsset: options.holdAsset ?? false,
          out,
          metadata,
          folder,
          json: options.json ?? false,
          ...(options.stillViews && { stillViews: options.stillViews }),
          ...(options.threads !== undefined && { threads: options.threads }),
        },
        { ...common, scene },
        terminal,
      );
    }
    const { score, milliseconds, ...done } = await follow(
      trainSplats({
        ...common,
        scene,
        store: folderStore(folder),
        ...(options.decaySteps !== undefined && { decaySteps: options.decaySteps }),
      }),
      { name: 'training', title: scene.name, folder },
      terminal,
    );
    const { gaussians } = done.state;
    await writeOrSay(out, { ...gaussians, metadata }, formats);
    const ending = {
      out,
      step: done.step,
      reason: done.reason,
      gaussians: gaussians.count,
      psnr: score?.psnr ?? null,
      ssim: score?.ssim ?? null,
      millisecondsPerStep: milliseconds,
      checkpoint: done.checkpoint,
      report: done.report,
    };
    if (options.json) return line(terminal, JSON.stringify(ending));
    line(
      terminal,
      `${done.reason === 'finished' ? 'finished' : 'stopped'} at step ${done.step}: ${showCount(ending.gaussians)} Gaussians, `
        + `${milliseconds === null ? 'no step done' : `${milliseconds.toFixed(1)} ms per step`}`,
    );
    if (score !== undefined)
      line(terminal, `held-out    PSNR ${score.psnr.toFixed(2)} dB, SSIM ${score.ssim.toFixed(4)} over ${scene.test.length} views`);
    line(terminal, `Gaussians   ${out}`);
    line(terminal, `checkpoint  ${done.checkpoint}`);
    line(terminal, `report      ${ending.report}`);
    if (done.reason === 'aborted') line(terminal, 'go on with  the same command and --resume');
  } finally {
    await rasterizer.dispose();
  }
}

/** What is wrong is said before hours of training, not after. */
function checkBefore(options: TrainOptions, { splatFormats: formats, deformations: known }: Registries): void {
  const { out, deformation, setMotion, steps, stillSteps: given, resume, resumePrevious } = options;
  if (resume && resumePrevious)
    throw new UserError('[cli/splat] a run goes on from one checkpoint: --resume and --resume-previous are both given. Give one of them.');
  if (out !== undefined) splatFormatForName(out, { use: 'write', formats });
  if (deformation === undefined || deformation === 'none') {
    if (setMotion !== undefined && deformation === 'none')
      throw new UserError('[cli/splat] options of a motion that is not trained: --deformation=none, --set-motion. Leave one of them out.');
  } else {
    deformationMaker(deformation, { set: setMotion ?? {}, known });
  }
  if (given !== undefined && given >= steps)
    throw new UserError(`[cli/splat] no steps are left for the motion: --still-steps=${given}, --steps=${steps}. Give fewer of the first.`);
}

/** How the scene is taken to move; undefined for not at all. */
function deformationOf(
  { name, times }: SplatScene,
  { deformation, out }: TrainOptions,
  formats: readonly SplatFormat[],
): string | undefined {
  const kind = deformation ?? (times === undefined ? 'none' : 'mlp');
  if (kind === 'none') return undefined;
  if (times === undefined)
    throw new UserError(
      `[cli/splat] nothing moves in this scene: scene=${name}, --deformation=${kind}. Give every frame of its transforms.json a `
        + 'time, or leave --deformation out.',
    );
  if (out !== undefined && splatFormatForName(out, { formats }).motion !== 'kept')
    throw new UserError(
      `[cli/splat] format holds no motion: --out=${out}. End the name in .splats4d, or pass --deformation none to train a still `
        + 'asset on all moments.',
    );
  return kind;
}

/** What the file says beside the Gaussians, as far as its format can. */
function metadataOf(
  { up, origin }: SplatScene,
  { out, antialiased }: { readonly out: string; readonly antialiased: boolean },
  terminal: CommandContext,
): SplatMetadata {
  const common = { antialiased, ...(up && { up }) };
  if (origin === undefined) return common;
  const { name, origin: kept } = splatFormatForName(out, { use: 'write', formats: terminal.registries.splatFormats });
  if (kept === 'kept') return { ...common, origin };
  remark(terminal, `${name} holds no places so far from 0: ${out} will be relative to (${origin.join(', ')}); .ply keeps them`);
  return common;
}

/** A format may be unable to hold what was trained: that is no reason to train again. */
async function writeOrSay(out: string, cloud: Parameters<typeof writeSplatFile>[1], formats: readonly SplatFormat[]): Promise<void> {
  await writeSplatFile(out, cloud, { formats }).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message} Nothing is lost: the same command with --resume and another --out writes what was trained.`, {
      cause: error,
    });
  });
}

/** Strategies take numbers and names; what they make of them, they say. */
function settings(set: Readonly<Record<string, unknown>>): Readonly<Record<string, number | string>> {
  for (const [name, value] of Object.entries(set))
    if (typeof value !== 'number' && typeof value !== 'string')
      throw new UserError(`[cli/splat] option of a strategy is a number or a name: --set ${name}=${shownValue(value)}.`);
  return set as Readonly<Record<string, number | string>>;
}

function factor(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 1 && value <= 64) return value;
  throw new InvalidArgumentError('Give a number from 1 to 64.');
}

function weight(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value < Infinity) return value;
  throw new InvalidArgumentError('Give a number >= 0.');
}

function holdOut(text: string): HoldOut {
  if (text === 'none') return 'none';
  return /^\d+$/.test(text) ? { every: integer(2)(text) } : { names: list(text) };
}
