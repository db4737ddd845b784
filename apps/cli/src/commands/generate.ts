import { encodePng, withPngText, type Image } from '@langevin/io';
import { makeFolder, writeFileAtomic } from '@langevin/io/node';
import { promptDialects, type PromptDialect } from '@langevin/encoders';
import {
  clipSkipCounts,
  generate,
  notesOf,
  openModel,
  recipeOf,
  usualSampler,
  usualSpacing,
  type AdapterChoice,
  type ClipSkipCount,
  type EmbeddingChoice,
  type GenerateOptions,
  type GenerateReport,
  type OpenProduct,
  memoryModes,
  type MemoryMode,
  type PictureRecipe,
} from '@langevin/pipelines';
import { UserError } from '@langevin/tensor';
import { Option, type Command } from 'commander';
import { collect, integer, number, setting, pictureSides } from '../arguments.ts';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { chooseSampler, type SamplerWords } from '../choose-sampler.ts';
import { addEngineOptions, withEngine, type EngineOptions } from '../engines.ts';
import { PLUGIN_HELP } from '../plugins.ts';
import { showProgress } from '../progress.ts';
import { changesOf, optionsOf, picturesOf, recipeIn, type FileOptions } from '../generate-again.ts';
import { line, remark } from '../terminal.ts';

interface GenerateCommandOptions extends EngineOptions, SamplerWords, FileOptions {
  readonly model?: string;
  readonly negative?: string;
  readonly count?: number;
  readonly seed?: number;
  readonly steps?: number;
  readonly guidance?: number;
  readonly guidanceRescale?: number;
  readonly strength?: number;
  readonly scheduler?: string;
  readonly setScheduler?: Readonly<Record<string, unknown>>;
  readonly clipSkip?: number;
  readonly clipSkipAs?: ClipSkipCount;
  readonly dialect?: PromptDialect;
  readonly longPrompts?: 'cut' | 'windows';
  readonly decoding?: 'whole' | 'bands' | 'tiles';
  readonly outside?: 'kept' | 'decoded';
  readonly size?: string;
  readonly variant?: string;
  readonly memory: MemoryMode;
  readonly prediction?: 'epsilon' | 'v' | 'x0' | 'flow';
  readonly metadata: boolean;
  readonly out: string;
  readonly json?: true;
}

const AFTER_HELP = `
Examples:
  langevin generate "an astronaut riding a horse" --model ./stable-diffusion-v1-5
  langevin generate "a cat" --model ./sd15 --negative "blurry, ugly" --seed 7 --steps 25 --guidance 6 --count 4
  langevin generate "a cat" --model ./sd15 --scheduler EulerAncestralDiscreteScheduler --size 640x448
  langevin generate "a cat" --model ./sd15 --sampler "DPM++ 2M Karras" --steps 20
  langevin generate "in winter" --model ./sd15 --image photo.png --strength 0.6
  langevin generate "a hat" --model ./sd15 --image photo.png --mask where.png
  langevin generate "a cat" --model ./sd15 --lora style.safetensors=0.8 --lora details.safetensors
  langevin generate "a cat" --model ./sd15 --control ./controlnet-canny --control-image edges.png --control-scale 0.7
  langevin generate --like out/picture-1.png

With the scheduler of the model, the same words and the same seed give the picture that diffusers gives. Each picture carries in its file
how it was made, which --like reads; --no-metadata leaves that out. "langevin info <model>" shows what is decided about a model, and why.

${PLUGIN_HELP}`;

export const generateCommand: CliCommand = defineCommand({ name: 'generate', add: addGenerate });

function addGenerate(program: Command, terminal: CommandContext): void {
  const command = program
    .command('generate')
    .description('Make pictures of a prompt with a checkpoint of diffusers: a folder, a single file, or the id of a model on a hub.')
    .argument('[prompt]', 'what is to be seen; not needed with --like, nor by models without a text')
    .option('--model <checkpoint>', 'folder, .safetensors file, or owner/name on a hub')
    .option('--like <picture.png>', 'make a picture again, from what its file says; other options change it')
    .option('--negative <text>', 'what is not to be seen')
    .option('--count <n>', 'pictures, each with the next seed (default: 1)', integer(1, 1024))
    .option('--seed <n>', 'decides the noise (default: 0)', integer(0))
    .option('--steps <n>', "of the scheduler (default: the model's)", integer(1, 100_000))
    .option('--guidance <scale>', "of classifier-free guidance; 1 is none (default: the model's)", number(1, 1e6))
    .option('--guidance-rescale <share>', 'how much of the deviation is restored, 0 to 1 (default: 0)', number(0, 1))
    .option('--image <file>', 'a picture to begin with; transparent parts are put on white')
    .option('--strength <share>', 'how much of it may change, 0 to 1 (default: 0.8; 1 with a mask)', number(0, 1))
    .option('--mask <file>', 'a picture of its size: what is white is made anew, the rest and what is transparent is kept')
    .addOption(
      new Option('--outside <how>', 'of the mask: kept to the last bit, or as decoded, which diffusers does (default: kept)').choices([
        'kept',
        'decoded',
      ]),
    )
    .option('--control <folder>', 'a ControlNet or T2I-Adapter that steers; may be given again', again)
    .option('--control-image <file>', 'the picture that it steers by, in the same order', again)
    .option('--control-scale <scale>', 'how strongly, in the same order (default: 1)', scales)
    .option('--lora <file[=strength]>', 'a LoRA or a relative to be added; may be given again', loras)
    .option('--scheduler <class>', "of diffusers, such as EulerDiscreteScheduler (default: the model's)")
    .option('--set-scheduler <name=value>', 'an entry of its configuration, such as use_karras_sigmas=true; may be given again', entry)
    .option('--embedding <file[=word]>', 'a word of textual inversion, by the name in its file or another; may be given again', embeddings)
    .option('--ip-adapter <file>', 'an IP-Adapter, which prompts by a picture; may be given again', again)
    .option('--ip-image <file>', 'the picture that it is shown, in the same order', again)
    .option('--ip-scale <scale>', 'how strongly, in the same order (default: 1)', scales)
    .option('--sampler <name>', 'a sampler in place of a scheduler; "langevin list samplers" shows them, other programs\' names are known')
    .option('--set <name=value>', 'an option of the sampler, such as eta=0.5; may be given again', setting)
    .option('--spacing <name>', 'which noise levels the sampler visits; "langevin list spacings" shows them')
    .option('--set-spacing <name=value>', 'an option of the spacing, such as rho=5; may be given again', setting)
    .option('--clip-skip <n>', 'layers of CLIP left out, from its end (default: 0)', integer(0, 100))
    .addOption(
      new Option(
        '--clip-skip-as <program>',
        'whose count that is: of diffusers 1 leaves one out, of a1111 2 does, for the negative prompt too (default: diffusers)',
      ).choices([...clipSkipCounts]),
    )
    .addOption(
      new Option('--dialect <program>', 'whose weights are read in prompts, such as (word:1.2) of a1111 (default: plain, none)').choices([
        ...promptDialects,
      ]),
    )
    .addOption(
      new Option(
        '--long-prompts <how>',
        'cut what does not fit, or in windows of 75 tokens, parted at BREAK and commas (default: cut)',
      ).choices(['cut', 'windows']),
    )
    .option('--size <WxH>', "in pixels (default: the model's)")
    .addOption(
      new Option(
        '--decoding <how>',
        'latents to pixels: in blended tiles, with the least memory; in bands, the same as whole (default: whole)',
      ).choices(['whole', 'bands', 'tiles']),
    )
    .option('--variant <name>', 'of the weights, such as fp16 (default: the plain ones)')
    .addOption(
      new Option('--memory <mode>', 'load-and-release frees each part of the model when it has done its work: less memory, more time')
        .choices([...memoryModes])
        .default('keep'),
    )
    .addOption(
      new Option('--prediction <what>', 'what the network predicts, whatever the files say').choices(['epsilon', 'v', 'x0', 'flow']),
    )
    .option('--no-metadata', 'leave out of the files how the pictures were made')
    .option('--out <folder>', 'where to write picture-1.png and so on', 'out')
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP);
  addEngineOptions(command).action((prompt: string | undefined, options: GenerateCommandOptions) => run(prompt, options, terminal));
}

/** Names of diffusers have underscores. */
function entry(text: string, before: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const at = text.indexOf('=');
  const plain = setting(`value=${text.slice(at + 1)}`);
  const name = text.slice(0, Math.max(0, at)).trim();
  if (!/^[a-z][a-z0-9_]{0,63}$/u.test(name)) setting(text);
  return { ...before, [name]: plain['value'] };
}

function again(text: string, before: readonly string[] = []): readonly string[] {
  return collect(text, before);
}

function scales(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, number(-100, 100)(text)];
}

/** A file, and behind its last `=` the word. */
function embeddings(text: string, before: readonly EmbeddingChoice[] = []): readonly EmbeddingChoice[] {
  const at = text.lastIndexOf('=');
  return [...before, at < 1 ? { from: text } : { from: text.slice(0, at), token: text.slice(at + 1) }];
}

/** A file, and behind its last `=` how strongly. */
function loras(text: string, before: readonly AdapterChoice[] = []): readonly AdapterChoice[] {
  const match = /^(?<from>.+)=(?<strength>[^=/\\]+)$/u.exec(text);
  const choice = match?.groups ? { from: match.groups['from']!, strength: number(-1e6, 1e6)(match.groups['strength']!) } : { from: text };
  return [...before, choice];
}

async function run(prompt: string | undefined, options: GenerateCommandOptions, terminal: CommandContext): Promise<void> {
  const recipe = options.like === undefined ? undefined : await recipeIn(options.like);
  const from = options.model ?? recipe?.model;
  const text = prompt ?? recipe?.prompt;
  if (from === undefined)
    throw new UserError('[cli/generate] there is no model: --model is missing. Give a folder, a file, or owner/name.');
  const begin = await picturesOf(options, recipe);
  for (const remarked of begin.remarks) remark(terminal, remarked);
  await makeFolder(options.out);
  remark(terminal, `opening ${from}`);
  await withEngine(options, async (engine) => {
    const model = await openModel(from, {
      engine,
      memory: options.memory,
      ...(options.variant !== undefined && { variant: options.variant }),
      ...(options.prediction !== undefined && { prediction: options.prediction }),
      ...changesOf(options, recipe),
    });
    try {
      if (text === undefined && model.prompts === 'taken')
        throw new UserError('[cli/generate] there is no prompt: it is missing. Give a text, or --like with a picture.');
      const wanted = {
        ...optionsOf(recipe),
        ...given(options),
        ...promptsOf(options, recipe),
        ...(await leadOf(model, { options, recipe, terminal })),
        model,
        ...(text !== undefined && { prompt: text }),
        ...begin.pictures,
        signal: terminal.signal,
      } as GenerateOptions;
      const place = recipe?.noise === 'shared' && options.seed === undefined ? recipe.place : undefined;
      const { images, report } = await follow(wanted, terminal);
      await write(images, report, { options, place, terminal });
    } finally {
      await model.dispose();
    }
  });
}

/** What the command line says, by the names of the options of `generate`. */
function given(options: GenerateCommandOptions): Partial<GenerateOptions> {
  const { negative, count, seed, steps, guidance, guidanceRescale, strength, clipSkip, clipSkipAs, decoding, outside } = options;
  const { size, scheduler, setScheduler } = options;
  const changed = { ...(scheduler !== undefined && { _class_name: scheduler }), ...setScheduler };
  const all = {
    negativePrompt: negative,
    count,
    seed,
    steps,
    guidance,
    guidanceRescale,
    strength,
    clipSkip,
    clipSkipAs,
    decoding,
    outside,
    ...pictureSides(size, 'generate'),
  };
  const said = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return { ...said, ...(Object.keys(changed).length > 0 && { scheduler: changed }) };
}

/** How prompts are read: as the command line says, else as those of the picture that is made again were. */
function promptsOf({ dialect, longPrompts }: GenerateCommandOptions, recipe: PictureRecipe | undefined): Pick<GenerateOptions, 'prompts'> {
  if (dialect === undefined && longPrompts === undefined) return {};
  const windows = longPrompts === undefined ? recipe?.windows : longPrompts === 'windows' ? 'all' : 'one';
  return { prompts: { dialect: dialect ?? recipe?.dialect ?? 'plain', windows: windows ?? 'one' } };
}

/** The sampler that the command line names, or the picture that is made again. */
async function leadOf(
  { noise }: OpenProduct,
  {
    options,
    recipe,
    terminal,
  }: { readonly options: GenerateCommandOptions; readonly recipe: PictureRecipe | undefined; readonly terminal: CommandContext },
): Promise<Pick<GenerateOptions, 'sampler' | 'spacing' | 'samplerWords'>> {
  const { sampler: name, set, spacing: levels, setSpacing } = options;
  const said = Object.fromEntries(
    Object.entries({ sampler: name, set, spacing: levels, setSpacing }).filter(([, value]) => value !== undefined),
  );
  const again = options.scheduler === undefined && options.setScheduler === undefined ? recipe?.sampler : undefined;
  if (name === undefined && Object.keys(said).length > 0 && !again)
    throw new UserError(`[cli/generate] there is no sampler to set: --sampler is missing. Give its name with --${Object.keys(said)[0]!}.`);
  if (name === undefined && !again) return {};
  const words = { ...again, ...said } as SamplerWords & { readonly sampler: string };
  const usual = { sampler: usualSampler(noise).name, spacing: usualSpacing(noise).name };
  const { sampler, spacing, asked, note, wantsGuidance } = await chooseSampler(words, { registries: terminal.registries, usual });
  if (note !== undefined) remark(terminal, `${asked}: ${note}`);
  if (wantsGuidance && options.guidance === 1)
    throw new UserError(`[cli/generate] sampler works with guided denoisers only: --sampler ${asked}, --guidance 1. Raise it.`);
  return { sampler, spacing, samplerWords: words };
}

interface Made {
  readonly images: readonly Image[];
  readonly report: GenerateReport;
}

async function follow(options: GenerateOptions, terminal: CommandContext): Promise<Made> {
  let progress: ReturnType<typeof showProgress> | undefined;
  let done = 0;
  try {
    for await (const event of generate(options)) {
      if (event.kind === 'done') return event;
      if (event.kind === 'part') {
        progress?.stop();
        progress = undefined;
        remark(terminal, `${event.name}: ${(event.milliseconds / 1000).toFixed(1)} s`);
        continue;
      }
      progress ??= showProgress(terminal, { name: 'denoising', unit: 'call', total: event.steps });
      done = event.step;
      progress.update(event.step, '');
    }
    throw new UserError('[cli/generate] nothing came of it. Run the command again.');
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
    throw new UserError(
      `[cli/generate] stopped before the end: calls of the network done=${done}. No picture was written; run the command again.`,
      { cause: error },
    );
  } finally {
    progress?.stop();
  }
}

async function write(
  images: readonly Image[],
  report: GenerateReport,
  {
    options,
    place,
    terminal,
  }: { readonly options: GenerateCommandOptions; readonly place: number | undefined; readonly terminal: CommandContext },
): Promise<void> {
  const paths: string[] = [];
  for (const [i, image] of images.entries()) {
    if (place !== undefined && i !== place) continue;
    const path = `${options.out}/picture-${i + 1}.png`;
    const recipe = recipeOf(report, i);
    const png = await encodePng(image);
    await writeFileAtomic(path, options.metadata ? withPngText(png, notesOf(recipe)) : png);
    if (options.metadata)
      await writeFileAtomic(
        `${options.out}/picture-${i + 1}.json`,
        `${JSON.stringify(JSON.parse(notesOf(recipe)['langevin']!), null, 2)}\n`,
      );
    paths.push(path);
  }
  if (options.json) line(terminal, JSON.stringify({ pictures: paths, ...report }, null, 2));
  else {
    for (const note of report.notes) remark(terminal, note);
    const what = paths.length === 1 ? paths[0]! : `${paths.length} pictures in ${options.out}`;
    line(terminal, `${what}: ${report.width}x${report.height}, ${report.calls} calls of the network, seed ${report.seeds[0]!}`);
  }
}
