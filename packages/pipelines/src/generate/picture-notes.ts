import { promptDialects } from '@langevin/encoders';
import { problemOf } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { clipSkipCounts } from './prompt-options.ts';
import type { GenerateReport } from './report.ts';

/** Under which keywords a picture carries how it was made: in the form that programs of this field read, and whole. */
const PARAMETERS = 'parameters';
const OWN = 'langevin';

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** How one picture was made: what makes it again. */
const recipeSchema = v.object({
  version: v.literal(1),
  product: v.string(),
  model: v.string(),
  prompt: v.string(),
  negativePrompt: v.nullable(v.string()),
  /** Of this picture. Of `shared` noise the first seed of its batch, in which it was picture `place` of `pictures`. */
  seed: v.pipe(v.string(), v.regex(/^\d{1,20}$/u)),
  noise: v.picklist(['each', 'shared']),
  place: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  pictures: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1024)),
  width: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(16_384)),
  height: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(16_384)),
  steps: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(100_000)),
  calls: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  guidance: v.pipe(v.number(), v.minValue(1)),
  guidanceRescale: share,
  eta: share,
  embeddings: v.pipe(v.array(v.object({ token: v.string(), from: v.string() })), v.maxLength(256)),
  clipSkip: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  clipSkipAs: v.picklist(clipSkipCounts),
  dialect: v.picklist(promptDialects),
  windows: v.picklist(['one', 'all']),
  /** The picture that it began with, by the digest of its pixels; null where it is of noise alone. */
  start: v.nullable(
    v.object({ sha256: digest, strength: share, mask: v.nullable(digest), outside: v.nullable(v.picklist(['kept', 'decoded'])) }),
  ),
  /** What steered it: where that lies, and its picture by the digest of its pixels. */
  controls: v.pipe(
    v.array(v.object({ from: v.string(), sha256: digest, scale: v.number(), between: v.tuple([share, share]) })),
    v.maxLength(16),
  ),
  /** What prompted it by a picture. */
  imagePrompts: v.pipe(v.array(v.object({ from: v.string(), sha256: digest, scale: v.number() })), v.maxLength(8)),
  /** What was added to the weights. */
  adapters: v.pipe(
    v.array(v.object({ name: v.string(), from: v.string(), strength: v.union([v.number(), v.record(v.string(), v.number())]) })),
    v.maxLength(64),
  ),
  scheduler: v.nullable(v.record(v.string(), v.unknown())),
  /** A sampler in its place, by the words of a command line. */
  sampler: v.nullable(
    v.object({
      sampler: v.string(),
      set: v.optional(v.record(v.string(), v.unknown())),
      spacing: v.optional(v.string()),
      setSpacing: v.optional(v.record(v.string(), v.unknown())),
    }),
  ),
  notes: v.array(v.string()),
});

/** How one picture was made, as its file says it. */
export type PictureRecipe = v.InferOutput<typeof recipeSchema>;

/** How picture `i` of a call was made. */
export function recipeOf(report: GenerateReport, i: number): PictureRecipe {
  const { prompts, negativePrompts, seeds, noise, start, controls, imagePrompts, adapters, embeddings, memory: _, ...rest } = report;
  return {
    version: 1,
    ...rest,
    prompt: prompts[i]!,
    negativePrompt: negativePrompts?.[i] ?? null,
    seed: seeds[noise === 'shared' ? 0 : i]!,
    noise,
    start: start
      ? { sha256: start.sha256[i]!, strength: start.strength, mask: start.masks?.[i] ?? null, outside: start.outside ?? null }
      : null,
    controls: controls.map(({ sha256, between, ...each }) => ({ ...each, sha256: sha256[i]!, between: [...between] })),
    imagePrompts: imagePrompts.map(({ sha256, ...each }) => ({ ...each, sha256: sha256[i]! })),
    embeddings: [...embeddings],
    adapters: adapters.map(({ strength, ...each }) => ({ ...each, strength: typeof strength === 'number' ? strength : { ...strength } })),
    place: noise === 'shared' ? i : 0,
    pictures: noise === 'shared' ? seeds.length : 1,
    scheduler: rest.scheduler && { ...rest.scheduler },
    sampler: rest.sampler && { ...rest.sampler },
    notes: [...rest.notes],
  };
}

/**
 * The notes of a picture, for {@link withPngText} of `@langevin/io`: `parameters` in the form of AUTOMATIC1111's web UI, which most
 * programs of this field show, and `langevin`, from which the picture can be made again.
 */
export function notesOf(recipe: PictureRecipe): Readonly<Record<string, string>> {
  const { prompt, negativePrompt, steps, scheduler, sampler, guidance, seed, width, height, model, clipSkip, clipSkipAs, start } = recipe;
  const settings = {
    Steps: steps,
    Sampler: scheduler === null ? sampler!.sampler : String(scheduler['_class_name']),
    'CFG scale': guidance,
    Seed: seed,
    Size: `${width}x${height}`,
    Model: JSON.stringify(model),
    ...(start !== null && { 'Denoising strength': start.strength }),
    ...(clipSkip !== null && { 'Clip skip': clipSkipAs === 'a1111' ? clipSkip : clipSkip + 1 }),
    Version: 'langevin',
  };
  const line = Object.entries(settings)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ');
  const parameters = [prompt, ...(negativePrompt === null ? [] : [`Negative prompt: ${negativePrompt}`]), line].join('\n');
  return { [PARAMETERS]: parameters, [OWN]: JSON.stringify(recipe, infinite) };
}

/** JSON has no infinite numbers, which some schedulers have among their settings. */
function infinite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function finite(_: string, value: unknown): unknown {
  return value === 'Infinity' || value === '-Infinity' ? Number(value) : value;
}

/**
 * How a picture was made, from the notes in its file.
 *
 * @param notes as {@link readPngText} of `@langevin/io` gives them
 * @param from the file, for messages
 * @throws UserError when there are none of ours, or they are damaged
 */
export function recipeOfNotes(notes: Readonly<Record<string, string>>, from: string): PictureRecipe {
  const own = Object.hasOwn(notes, OWN) ? notes[OWN]! : undefined;
  if (own === undefined)
    throw new UserError(
      `[pipelines/generate] picture does not say how it was made: file=${from}. `
        + (Object.hasOwn(notes, PARAMETERS)
          ? `It has the note "${PARAMETERS}" of another program: ${JSON.stringify(notes[PARAMETERS]!.slice(0, 200))}. Give them by hand.`
          : 'Programs that edit or upload pictures remove such notes.'),
    );
  let json: unknown;
  try {
    json = JSON.parse(own, finite);
  } catch (cause) {
    throw new UserError(`[pipelines/generate] note of the picture is no JSON: file=${from}. It was damaged; give the settings by hand.`, {
      cause,
    });
  }
  const parsed = v.safeParse(recipeSchema, json);
  if (parsed.success) return parsed.output;
  throw new UserError(
    `[pipelines/generate] note of the picture is not valid: file=${from}, ${problemOf(recipeSchema, parsed.issues[0])}. Give the settings `
      + 'by hand.',
  );
}
