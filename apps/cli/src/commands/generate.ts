import { readFile } from 'node:fs/promises';
import { encodePng, flattenAlpha, readPngText, withPngText, type Image } from '@langevin/io';
import { makeFolder, readImage, writeFileAtomic } from '@langevin/io/node';
import {
  generate,
  notesOf,
  openModel,
  pictureDigest,
  recipeOf,
  recipeOfNotes,
  type GenerateOptions,
  type GenerateReport,
  type PictureRecipe,
} from '@langevin/pipelines';
import { UserError } from '@langevin/tensor';
import { Option, type Command } from 'commander';
import { integer, number, setting } from '../arguments.ts';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { addEngineOptions, withEngine, type EngineOptions } from '../engines.ts';
import { PLUGIN_HELP } from '../plugins.ts';
import { showProgress } from '../progress.ts';
import { line, remark } from '../terminal.ts';

interface GenerateCommandOptions extends EngineOptions {
  readonly model?: string;
  readonly like?: string;
  readonly negative?: string;
  readonly count?: number;
  readonly seed?: number;
  readonly steps?: number;
  readonly guidance?: number;
  readonly guidanceRescale?: number;
  readonly image?: string;
  readonly strength?: number;
  readonly scheduler?: string;
  readonly setScheduler?: Readonly<Record<string, unknown>>;
  readonly clipSkip?: number;
  readonly size?: string;
  readonly variant?: string;
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
  langevin generate "in winter" --model ./sd15 --image photo.png --strength 0.6
  langevin generate --like out/picture-1.png

With the scheduler of the model, the same words and the same seed give the picture that diffusers gives. Each picture carries in its file
how it was made, which --like reads; --no-metadata leaves that out. "langevin info <model>" shows what is decided about a model, and why.

${PLUGIN_HELP}`;

export const generateCommand: CliCommand = defineCommand({ name: 'generate', add: addGenerate });

function addGenerate(program: Command, terminal: CommandContext): void {
  const command = program
    .command('generate')
    .description('Make pictures of a prompt with a checkpoint of diffusers: a folder, a single file, or the id of a model on a hub.')
    .argument('[prompt]', 'what is to be seen; not needed with --like')
    .option('--model <checkpoint>', 'folder, .safetensors file, or owner/name on a hub')
    .option('--like <picture.png>', 'make a picture again, from what its file says; other options change it')
    .option('--negative <text>', 'what is not to be seen')
    .option('--count <n>', 'pictures, each with the next seed (default: 1)', integer(1, 1024))
    .option('--seed <n>', 'decides the noise (default: 0)', integer(0))
    .option('--steps <n>', "of the scheduler (default: the model's)", integer(1, 100_000))
    .option('--guidance <scale>', "of classifier-free guidance; 1 is none (default: the model's)", number(1, 1e6))
    .option('--guidance-rescale <share>', 'how much of the deviation is restored, 0 to 1 (default: 0)', number(0, 1))
    .option('--image <file>', 'a picture to begin with; transparent parts are put on white')
    .option('--strength <share>', 'how much of it may change, 0 to 1 (default: 0.8)', number(0, 1))
    .option('--scheduler <class>', "of diffusers, such as EulerDiscreteScheduler (default: the model's)")
    .option('--set-scheduler <name=value>', 'an entry of its configuration, such as use_karras_sigmas=true; may be given again', entry)
    .option('--clip-skip <n>', 'layers of the text encoder left out for the prompt, from its end (default: 0)', integer(0, 100))
    .option('--size <WxH>', "in pixels (default: the model's)")
    .option('--variant <name>', 'of the weights, such as fp16 (default: the plain ones)')
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

async function run(prompt: string | undefined, options: GenerateCommandOptions, terminal: CommandContext): Promise<void> {
  const recipe = options.like === undefined ? undefined : await recipeIn(options.like);
  const from = options.model ?? recipe?.model;
  const text = prompt ?? recipe?.prompt;
  if (from === undefined)
    throw new UserError('[cli/generate] there is no model: --model is missing. Give a folder, a file, or owner/name.');
  if (text === undefined) throw new UserError('[cli/generate] there is no prompt: it is missing. Give a text, or --like with a picture.');
  const begin: { readonly image?: Image } = options.image === undefined ? {} : { image: await pictureIn(options.image) };
  if (recipe?.start && begin.image === undefined)
    throw new UserError(
      `[cli/generate] picture was made from another one, which its file does not hold: --like=${options.like}, `
        + `sha256=${recipe.start.sha256}. Give that one with --image.`,
    );
  if (recipe?.start && begin.image && (await pictureDigest(begin.image)) !== recipe.start.sha256)
    remark(terminal, `${options.image} is not the picture that ${options.like} was made from: what comes of it is another one`);
  await makeFolder(options.out);
  remark(terminal, `opening ${from}`);
  await withEngine(options, async (engine) => {
    const model = await openModel(from, {
      engine,
      ...(options.variant !== undefined && { variant: options.variant }),
      ...(options.prediction !== undefined && { prediction: options.prediction }),
    });
    try {
      const wanted = { ...optionsOf(recipe), ...given(options), model, prompt: text, ...begin, signal: terminal.signal } as GenerateOptions;
      const place = recipe?.noise === 'shared' && options.seed === undefined ? recipe.place : undefined;
      const { images, report } = await follow(wanted, terminal);
      await write(images, report, { options, place, terminal });
    } finally {
      await model.dispose();
    }
  });
}

/** A picture to begin with, in three channels. */
async function pictureIn(path: string): Promise<Image> {
  const image = flattenAlpha(await readImage(path));
  if (image.channels === 3) return image;
  const grey = image.data;
  return { ...image, channels: 3, data: Uint8Array.from({ length: 3 * grey.length }, (_, i) => grey[Math.floor(i / 3)]!) };
}

/** How a picture was made, as its file says it. */
async function recipeIn(path: string): Promise<PictureRecipe> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UserError(`[cli/generate] picture cannot be read: --like=${path}, code=${String(code)}. Give the path of a PNG file.`, {
      cause,
    });
  });
  return recipeOfNotes(await readPngText(bytes), path);
}

/** The options that make a picture again. */
function optionsOf(recipe: PictureRecipe | undefined): Partial<GenerateOptions> {
  if (recipe === undefined) return {};
  const { negativePrompt, seed, noise, pictures, width, height, steps, guidance, guidanceRescale, eta, clipSkip, scheduler, start } =
    recipe;
  return {
    ...(negativePrompt !== null && { negativePrompt }),
    ...(noise === 'shared' && { count: pictures }),
    ...(clipSkip !== null && { clipSkip }),
    ...(start !== null && { strength: start.strength }),
    ...{ seed: BigInt(seed), noise, width, height, steps, guidance, guidanceRescale, eta, scheduler },
  };
}

/** What the command line says, by the names of the options of `generate`. */
function given(options: GenerateCommandOptions): Partial<GenerateOptions> {
  const { negative, count, seed, steps, guidance, guidanceRescale, strength, clipSkip, size, scheduler, setScheduler } = options;
  const changed = { ...(scheduler !== undefined && { _class_name: scheduler }), ...setScheduler };
  const all = { negativePrompt: negative, count, seed, steps, guidance, guidanceRescale, strength, clipSkip, ...sides(size) };
  const said = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return { ...said, ...(Object.keys(changed).length > 0 && { scheduler: changed }) };
}

function sides(size: string | undefined): { readonly width?: number; readonly height?: number } {
  if (size === undefined) return {};
  const match = /^(\d{1,5})x(\d{1,5})$/u.exec(size);
  if (match === null)
    throw new UserError(`[cli/generate] size is not one: --size=${size}. Give width and height in pixels, such as 512x768.`);
  return { width: Number(match[1]), height: Number(match[2]) };
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
