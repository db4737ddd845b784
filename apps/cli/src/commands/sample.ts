import { basename, resolve } from 'node:path';
import { cfg, type Guidance } from '@langevin/guidance';
import { imageGrid } from '@langevin/io';
import { imageExtensions, writeImage } from '@langevin/io/node';
import { loadModel, pictureForm, usualSampler, usualSpacing, type DiffusionModel } from '@langevin/pipelines';
import { median, UserError, type Engine } from '@langevin/tensor';
import { Option, type Command } from 'commander';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { integer, list, number, setting } from '../arguments.ts';
import { chooseSampler, type ChosenSampler } from '../choose-sampler.ts';
import { addEngineOptions, withEngine, type EngineOptions } from '../engines.ts';
import { layOut } from '../grid-layout.ts';
import { preparePicture } from '../picture-output.ts';
import type { Registries } from '../families.ts';
import { PLUGIN_HELP } from '../plugins.ts';
import { presetFolder, presetNames } from '../presets.ts';
import { sampleWithProgress } from '../sample-with-progress.ts';
import { line, remark, type Terminal } from '../terminal.ts';

interface SampleOptions extends EngineOptions {
  readonly checkpoint?: string;
  readonly preset?: string;
  readonly sampler?: string;
  readonly spacing?: string;
  readonly setSpacing?: Readonly<Record<string, unknown>>;
  readonly noise?: 'images' | 'brownian-tree';
  readonly set?: Readonly<Record<string, unknown>>;
  readonly steps: number;
  readonly seed: number;
  readonly classes?: readonly string[];
  readonly guidance?: number;
  readonly negative?: string;
  readonly rows?: number;
  readonly columns: number;
  readonly batch: number;
  readonly scale?: number;
  readonly out?: string;
  readonly json?: true;
}

const AFTER_HELP = `
Examples:
  langevin sample --preset emoji
  langevin sample --preset emoji --classes "Food & Drink,cat-face" --columns 12 --seed 7 --out out/treats.webp
  langevin sample --checkpoint runs/emoji --sampler euler --steps 30
  langevin sample --preset emoji --sampler "DPM++ 2M Karras" --steps 20
  langevin sample --preset emoji --sampler ddim --set eta=1 --spacing uniform-lambda
  langevin sample --preset emoji --sampler dpmpp-2m --steps 6 --spacing gits --set-spacing 'table=[80,20,5,1.2,0.3,0.06,0.002]'
  langevin sample --preset emoji --sampler restart --set 'base={"name":"heun","sChurn":10}' \\
      --set 'intervals=[{"sigmaMin":0.1,"sigmaMax":1,"repeats":2}]'
  langevin sample --preset emoji --sampler dpmpp-sde --noise brownian-tree
  langevin sample --preset emoji --plugin ./my-sampler.js --sampler mine --json

${PLUGIN_HELP}
The same seed gives the same image, whatever the size of the batch.`;

export const sampleCommand: CliCommand = defineCommand({ name: 'sample', add: addSample });

function addSample(program: Command, terminal: CommandContext): void {
  const command = program
    .command('sample')
    .description('Sample images from a checkpoint and write them as one grid.')
    .option('--preset <name>', `a checkpoint that comes with the repository: ${presetNames.join(', ')}`)
    .option('--checkpoint <folder>', 'the folder of a model, or of a training run')
    .option(
      '--sampler <name>',
      '"langevin list samplers" shows them; names of ComfyUI and AUTOMATIC1111 are known too (default: heun for EDM\'s models, dpmpp-2m '
        + 'for others)',
    )
    .option('--set <name=value>', 'an option of the sampler, such as eta=0.5, or in JSON; may be given again', setting)
    .addOption(
      new Option(
        '--noise <kind>',
        'noise of the steps: drawn for each step, or the path of a Brownian tree, which stays the same when steps change',
      )
        .choices(['images', 'brownian-tree'])
        .default('images'),
    )
    .option(
      '--spacing <name>',
      'which noise levels the steps visit; "langevin list spacings" shows them (default: that of the sampler\'s name, else karras for '
        + "EDM's models, trailing for others)",
    )
    .option('--set-spacing <name=value>', 'an option of the spacing, such as rho=5, or in JSON; may be given again', setting)
    .option('--steps <n>', 'sampler steps', integer(1, 100_000), 18)
    .option('--seed <n>', 'decides the noise, and which classes of a category are drawn', integer(0), 0)
    .option('--classes <names>', 'classes or categories, a row for each (default: every category)', list)
    .option('--guidance <scale>', 'scale of classifier-free guidance; 1 is none (default: none)', number(-1000, 1000))
    .option('--negative <class>', 'a class that guidance leads away from (default: what stands for no class)')
    .option('--rows <n>', 'rows of the grid (default: one for each class or category)', integer(1, 1000))
    .option('--columns <n>', 'images in a row', integer(1, 1000), 8)
    .option('--batch <n>', 'at most so many images at a time', integer(1, 4096), 32)
    .option(
      '--scale <n>',
      'how many pixels of the picture show one of an image (default: such that images are 96 or more wide)',
      integer(1, 64),
    )
    .option('--out <file>', `where to write: ${imageExtensions.join(', ')} (default: out/<name>-seed<seed>.png)`)
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP);
  addEngineOptions(command).action((options: SampleOptions) => sample(options, terminal));
}

async function sample(options: SampleOptions, terminal: CommandContext): Promise<void> {
  const begin = performance.now();
  const { name, folder } = source(options);
  const out = await preparePicture(options.out ?? `out/${name}-seed${options.seed}.png`, 'sample');
  const registries = terminal.registries;
  // What is wrong with the options is said before a model is loaded.
  await choose(options, { registries, usual: { sampler: 'heun', spacing: 'karras' } });
  remark(terminal, `loading ${folder}`);
  const model = await loadModel(folder, { backbones: registries.backbones, noiseParts: registries });
  const usual = { sampler: usualSampler(model.noise).name, spacing: usualSpacing(model.noise).name };
  const { asked, noise, ...chosen } = await choose(options, { registries, usual });
  if (chosen.note !== undefined) remark(terminal, `${asked}: ${chosen.note}`);
  if (noise !== undefined && options.noise !== noise)
    remark(terminal, `${asked}: its program takes the noise of a Brownian tree: --noise ${noise}`);
  await withEngine(options, (engine) => sampleOn(engine, { begin, model, out, options, ...chosen }, terminal));
}

interface Choices extends Omit<ChosenSampler, 'wantsGuidance'> {
  readonly guidance: Guidance | undefined;
}

/** Sampler and spacing by the names that were given, or the usual ones, and what guides. */
async function choose(
  options: SampleOptions,
  how: { readonly registries: Registries; readonly usual: { readonly sampler: string; readonly spacing: string } },
): Promise<Choices> {
  const { wantsGuidance, ...chosen } = await chooseSampler(options, how);
  if (wantsGuidance && options.guidance === undefined)
    throw new UserError(
      `[cli/sample] sampler works with guided denoisers only: --sampler ${chosen.asked}. Add --guidance, such as --guidance 1.5.`,
    );
  // CFG++ samplers look at the prediction without condition at every scale.
  const guidance = options.guidance === undefined ? undefined : cfg({ scale: options.guidance, ...(wantsGuidance && { asked: 'all' }) });
  return { ...chosen, guidance };
}

interface SampleJob extends Omit<Choices, 'asked' | 'noise'> {
  /** When the command began. */
  readonly begin: number;
  readonly model: DiffusionModel;
  readonly out: string;
  readonly options: SampleOptions;
}

async function sampleOn(
  engine: Engine,
  { begin, model, out, sampler, spacing, note, guidance, options }: SampleJob,
  terminal: Terminal,
): Promise<void> {
  const layout = layOut(model, options);
  const { columns, labels } = layout;
  const started = performance.now();
  const { images, nfe, durations } = await sampleWithProgress(
    {
      model,
      labels,
      seed: options.seed,
      sampler,
      spacing,
      steps: options.steps,
      noise: options.noise ?? 'images',
      batch: options.batch,
      ...(guidance && { guidance }),
      ...(options.negative !== undefined && { negative: options.negative }),
      engine,
    },
    terminal,
  );
  const grid = imageGrid(images, {
    columns,
    scale: options.scale ?? defaultScale(model),
    ...(layout.rowLabels && { rowLabels: layout.rowLabels }),
  });
  await writeImage(out, grid);

  const end = performance.now();
  const perStep = median(durations);
  const result = {
    out: resolve(out),
    images: images.length,
    rows: Math.ceil(images.length / columns),
    columns,
    width: grid.width,
    height: grid.height,
    seed: options.seed,
    sampler: sampler.name,
    ...(note !== undefined && { note }),
    noise: options.noise,
    ...(guidance && { guidance: options.guidance }),
    ...(options.negative !== undefined && { negative: options.negative }),
    spacing: spacing.name,
    steps: options.steps,
    nfe,
    batches: durations.length / options.steps,
    engine: engine.name,
    device: engine.device,
    millisecondsPerStep: round(perStep),
    seconds: round((end - begin) / 1000),
    loadSeconds: round((started - begin) / 1000),
    ...(typeof labels === 'number' ? {} : { labels }),
  };
  if (options.json) return line(terminal, JSON.stringify(result));
  line(terminal, `picture        ${result.out}`);
  line(
    terminal,
    `               ${result.images} images in ${result.rows} ${result.rows === 1 ? 'row' : 'rows'} of ${columns}, `
      + `${grid.width}x${grid.height} pixels`,
  );
  line(terminal, `seed           ${result.seed}`);
  line(terminal, `NFE            ${nfe} for each image (${result.sampler}, ${result.steps} steps over ${result.spacing})`);
  line(
    terminal,
    `time per step  ${perStep.toFixed(0)} ms (median, batches of ${Math.ceil(images.length / result.batches)}, ${engine.name} on `
      + `${engine.device})`,
  );
  line(terminal, `total          ${((end - begin) / 1000).toFixed(1)} s`);
}

function source({ checkpoint, preset }: SampleOptions): { readonly name: string; readonly folder: string } {
  if (checkpoint !== undefined && preset !== undefined)
    throw new UserError(`[cli/sample] two models are named: --preset=${preset}, --checkpoint=${checkpoint}. Give one of them.`);
  if (preset !== undefined) return { name: preset, folder: presetFolder(preset) };
  if (checkpoint !== undefined) return { name: basename(resolve(checkpoint)), folder: checkpoint };
  throw new UserError(`[cli/sample] no model is named. Give --preset ${presetNames[0]}, or --checkpoint with a folder.`);
}

function defaultScale({ network }: DiffusionModel): number {
  return Math.max(1, Math.ceil(96 / pictureForm(network).width));
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
