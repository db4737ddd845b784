import { join } from 'node:path';
import { cpuRasterizer, strategyByName, type HoldOut, type SplatEvent, type TrainingBackground } from '@langevin/gaussians';
import { loadScene, trainSplatsInFolder } from '@langevin/gaussians/node';
import { writeSplatFile } from '@langevin/io/node';
import { splatFormatForName } from '@langevin/io/splats';
import { UserError } from '@langevin/tensor';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { integer, list, setting } from '../../arguments.ts';
import { showProgress, type ProgressView } from '../../progress.ts';
import { showCount } from '../../table.ts';
import { line, remark, type Terminal } from '../../terminal.ts';

interface TrainOptions {
  readonly out?: string;
  readonly folder?: string;
  readonly steps: number;
  readonly decaySteps?: number;
  readonly resume?: true;
  readonly images?: string;
  readonly downscale: number;
  readonly holdOut?: HoldOut;
  readonly strategy: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly background: TrainingBackground;
  readonly antialiasing?: true;
  readonly seed: number;
  readonly threads?: number;
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
  readonly json?: true;
}

const AFTER_HELP = `
Examples:
  langevin splat train scenes/garden --steps 7000 --downscale 4 --out garden.ply
  langevin splat train scenes/garden --strategy mcmc --set cap=500000 --out garden.spz
  langevin splat train scenes/garden --steps 7000 --downscale 4 --out garden.ply --resume

A scene is a folder with a COLMAP model (sparse/0, binary or text) and images, or with a transforms.json of nerfstudio or Blender. Every 8th
view is held out. Ctrl+C writes a checkpoint and ends; --resume, with the same options, goes on from the newest checkpoint to the same bytes as
if nothing had happened. The folder holds report.html (held-out renders and curves), log.jsonl, renders/ and checkpoints/.`;

export function addSplatTrain(program: Command, terminal: Terminal): void {
  program
    .command('train')
    .description('Train Gaussians on posed photographs.')
    .argument('<scene>', 'folder of a COLMAP model or a transforms.json')
    .option('--out <file>', 'where the Gaussians go: .ply, .splat or .spz (default: scene.ply in the folder)')
    .option('--folder <folder>', 'where the run is kept (default: runs/splat-<name of the scene>)')
    .option('--steps <n>', 'steps in all, those before a resume included', integer(1, 1e7), 30_000)
    .option('--decay-steps <n>', 'steps over which the rate of the places falls (default: --steps)', integer(1, 1e7))
    .option('--resume', 'go on from the newest checkpoint of the folder, if there is one')
    .option('--images <folder>', 'images of a COLMAP model (default: images in the scene)')
    .option('--downscale <factor>', 'divide the sides of images by this', factor, 1)
    .option('--hold-out <views>', 'names with commas, or a number for every n-th, or none (default: what the scene says, otherwise every 8th)', holdOut)
    .option('--strategy <name>', 'how the number of Gaussians changes: default, absgrad or mcmc', 'default')
    .option('--set <option=value>', 'an option of the strategy, such as cap=200000; may be given several times', setting)
    .addOption(new Option('--background <colour>', 'behind the scene').choices(['black', 'white', 'random']).default('black'))
    .option('--antialiasing', 'keep the light of Gaussians smaller than a pixel (Mip-Splatting)')
    .option('--seed <n>', 'of everything random', integer(0), 0)
    .option('--threads <n>', 'threads that draw (default: all cores, 8 at most)', integer(1, 64))
    .option('--evaluate-every <n>', 'steps between evaluations on held-out views; 0: at the end only', integer(0, 1e7), 1000)
    .option('--checkpoint-every <n>', 'steps between checkpoints', integer(1, 1e7), 1000)
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP)
    .action((path: string, options: TrainOptions) => runTraining(path, options, terminal));
}

async function runTraining(path: string, options: TrainOptions, terminal: Terminal): Promise<void> {
  if (options.out !== undefined) demandWritable(options.out);
  const strategy = strategyByName(options.strategy, { ...changesUntil(options), ...numbers(options.set ?? {}) });
  const scene = await loadScene(path, { downscale: options.downscale, ...(options.images !== undefined && { images: options.images }), ...(options.holdOut !== undefined && { holdOut: options.holdOut }) });
  const first = scene.train[0]!.camera;
  remark(terminal, `${scene.name}: ${scene.train.length} views of ${first.width}x${first.height}, ${scene.test.length} held out, ${scene.points ? `${showCount(scene.points.count)} points` : 'no points: random ones'}`);
  const folder = options.folder ?? join('runs', `splat-${scene.name}`);
  const out = options.out ?? join(folder, 'scene.ply');
  const rasterizer = cpuRasterizer(options.threads === undefined ? {} : { threads: options.threads });
  try {
    const events = trainSplatsInFolder({
      scene,
      rasterizer,
      strategy,
      folder,
      steps: options.steps,
      start: options.resume ? 'resume' : 'new',
      seed: options.seed,
      background: options.background,
      antialiasing: options.antialiasing ? 'mip' : 'none',
      ...(options.decaySteps !== undefined && { decaySteps: options.decaySteps }),
      evaluateEvery: options.evaluateEvery,
      checkpointEvery: options.checkpointEvery,
      signal: terminal.signal,
    });
    const { done, score, milliseconds } = await follow(events, terminal);
    await writeSplatFile(out, { ...done.gaussians, metadata: { antialiased: options.antialiasing ?? false } });
    const ending = { out, step: done.step, reason: done.reason, gaussians: done.gaussians.count, psnr: score?.psnr ?? null, ssim: score?.ssim ?? null, millisecondsPerStep: milliseconds, checkpoint: done.checkpoint, report: join(folder, 'report.html') };
    if (options.json) return line(terminal, JSON.stringify(ending));
    line(terminal, `${done.reason === 'finished' ? 'finished' : 'stopped'} at step ${done.step}: ${showCount(ending.gaussians)} Gaussians, ${milliseconds === null ? 'no step done' : `${milliseconds.toFixed(1)} ms per step`}`);
    if (score !== undefined) line(terminal, `held-out    PSNR ${score.psnr.toFixed(2)} dB, SSIM ${score.ssim.toFixed(4)} over ${score.views.length} views`);
    line(terminal, `Gaussians   ${out}`);
    line(terminal, `checkpoint  ${done.checkpoint}`);
    line(terminal, `report      ${ending.report}`);
    if (done.reason === 'aborted') line(terminal, 'go on with  the same command and --resume');
  } finally {
    await rasterizer.dispose();
  }
}

interface Followed {
  readonly done: SplatEvent & { readonly kind: 'done' };
  readonly score: (SplatEvent & { readonly kind: 'evaluation' }) | undefined;
  /** Median, of the steps of this process. */
  readonly milliseconds: number | null;
}

async function follow(events: AsyncIterable<SplatEvent>, terminal: Terminal): Promise<Followed> {
  let progress: ProgressView | undefined;
  let score: Followed['score'];
  let psnr: number | undefined;
  const times: number[] = [];
  try {
    for await (const event of events) {
      switch (event.kind) {
        case 'start':
          if (event.resumed) remark(terminal, `resumed at step ${event.step}`);
          progress = showProgress(terminal, { name: 'training', unit: 'step', total: event.steps, from: event.step });
          break;
        case 'step':
          times.push(event.milliseconds);
          psnr = psnr === undefined ? event.metrics.psnr : psnr + 0.05 * (event.metrics.psnr - psnr);
          progress?.update(event.step, `PSNR ${psnr.toFixed(2)} dB, ${showCount(event.count)} Gaussians, ${event.milliseconds.toFixed(0)} ms`);
          break;
        case 'evaluation':
          score = event;
          progress?.say(`step ${event.step}: held-out PSNR ${event.psnr.toFixed(2)} dB, SSIM ${event.ssim.toFixed(4)}`);
          break;
        case 'checkpoint':
          progress?.say(`checkpoint ${event.from}`);
          break;
        case 'view':
        case 'refined':
          break;
        case 'done':
          return { done: event, score, milliseconds: times.sort((a, b) => a - b)[times.length >> 1] ?? null };
      }
    }
  } finally {
    progress?.stop();
  }
  throw new Error('training ended without saying so');
}

/** Half of the run, five sixths with MCMC, as in the papers: what changes later has no time to settle. */
function changesUntil({ strategy, steps, decaySteps = steps }: TrainOptions): Readonly<Record<string, number>> {
  return { stop: strategy === 'mcmc' ? Math.min(25_000, Math.floor((decaySteps * 5) / 6)) : Math.min(15_000, Math.floor(decaySteps / 2)) };
}

/** Before hours of training, not after. */
function demandWritable(out: string): void {
  const format = splatFormatForName(out);
  if (format.encode === undefined) throw new UserError(`[cli/splat] format is only read: --out=${out} is ${format.name}. Give .ply, .splat or .spz.`);
}

function numbers(set: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  for (const [name, value] of Object.entries(set)) if (typeof value !== 'number') throw new UserError(`[cli/splat] option of a strategy must be a number: --set ${name}=${String(value)}.`);
  return set as Readonly<Record<string, number>>;
}

function factor(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 1 && value <= 64) return value;
  throw new InvalidArgumentError('Give a number from 1 to 64.');
}

function holdOut(text: string): HoldOut {
  if (text === 'none') return 'none';
  return /^\d+$/.test(text) ? { every: integer(2)(text) } : { names: list(text) };
}
