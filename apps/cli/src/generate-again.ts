import { readFile } from 'node:fs/promises';
import { flattenAlpha, readPngText, type Image } from '@langevin/io';
import { readImage } from '@langevin/io/node';
import {
  pictureDigest,
  recipeOfNotes,
  type AdapterChoice,
  type EmbeddingChoice,
  type GenerateOptions,
  type OpenModelOptions,
  type PictureRecipe,
} from '@langevin/pipelines';
import { UserError } from '@langevin/tensor';

/** Options of `generate` that name other files. */
export interface FileOptions {
  readonly like?: string;
  readonly image?: string;
  readonly mask?: string;
  readonly control?: readonly string[];
  readonly controlImage?: readonly string[];
  readonly controlScale?: readonly number[];
  readonly lora?: readonly AdapterChoice[];
  readonly embedding?: readonly EmbeddingChoice[];
  readonly ipAdapter?: readonly string[];
  readonly ipImage?: readonly string[];
  readonly ipScale?: readonly number[];
}

/** How a picture was made, as its file says it. */
export async function recipeIn(path: string): Promise<PictureRecipe> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UserError(`[cli/generate] picture cannot be read: --like=${path}, code=${String(code)}. Give the path of a PNG file.`, {
      cause,
    });
  });
  return recipeOfNotes(await readPngText(bytes), path);
}

/** The options that make a picture again. */
export function optionsOf(recipe: PictureRecipe | undefined): Partial<GenerateOptions> {
  if (recipe === undefined) return {};
  const {
    negativePrompt,
    seed,
    noise,
    pictures,
    width,
    height,
    steps,
    guidance,
    guidanceRescale,
    eta,
    clipSkip,
    clipSkipAs,
    dialect,
    windows,
    scheduler,
    sampler,
    start,
  } = recipe;
  return {
    ...(negativePrompt !== null && { negativePrompt }),
    ...(noise === 'shared' && { count: pictures }),
    ...(clipSkip !== null && { clipSkip, clipSkipAs }),
    ...((dialect !== 'plain' || windows !== 'one') && { prompts: { dialect, windows } }),
    ...(start !== null && { strength: start.strength, ...(start.outside !== null && { outside: start.outside }) }),
    ...(sampler === null && { eta, scheduler: scheduler ?? {} }),
    ...{ seed: BigInt(seed), noise, width, height, steps, guidance, guidanceRescale },
  };
}

/** What is added to a model, and what steers it: what the command line says, else what the picture that is made again had. */
export function changesOf(
  { lora, embedding, control, ipAdapter }: FileOptions,
  recipe: PictureRecipe | undefined,
): Pick<OpenModelOptions, 'adapters' | 'embeddings' | 'controls' | 'imagePrompts'> {
  const adapters = lora ?? recipe?.adapters ?? [];
  const embeddings = embedding ?? recipe?.embeddings ?? [];
  const controls = control ?? recipe?.controls.map(({ from }) => from) ?? [];
  const imagePrompts = ipAdapter ?? recipe?.imagePrompts.map(({ from }) => from) ?? [];
  return {
    ...(adapters.length > 0 && { adapters }),
    ...(embeddings.length > 0 && { embeddings }),
    ...(controls.length > 0 && { controls: controls.map((from) => ({ from })) }),
    ...(imagePrompts.length > 0 && { imagePrompts: imagePrompts.map((from) => ({ from })) }),
  };
}

/** Files that belong together, in the order in which they were given. */
interface ListedOptions {
  /** What is named: `control`; and how the options of its pictures and scales begin. */
  readonly thing: string;
  readonly option: string;
  readonly things: readonly string[] | undefined;
  readonly images: readonly string[] | undefined;
  readonly scales: readonly number[] | undefined;
}

/** The pictures that a call is given, and what is to be said where they are others than those of the picture that is made again. */
export async function picturesOf(
  { like, image, mask, control, controlImage, controlScale, ipAdapter, ipImage, ipScale }: FileOptions,
  recipe: PictureRecipe | undefined,
): Promise<{
  readonly pictures: Pick<GenerateOptions, 'image' | 'mask' | 'controls' | 'imagePrompts'>;
  readonly remarks: readonly string[];
}> {
  const remarks: string[] = [];
  const read = async (path: string | undefined, option: string, wanted: string | null | undefined): Promise<Image | undefined> => {
    if (path === undefined) {
      if (wanted === undefined || wanted === null) return undefined;
      throw new UserError(
        `[cli/generate] picture was made from another one, which its file does not hold: --like=${like}, sha256=${wanted}. Give that one `
          + `with ${option}.`,
      );
    }
    // Of a mask it matters what is transparent.
    const picture = await (option === '--mask' ? readImage : pictureIn)(path);
    if (wanted && (await pictureDigest(picture)) !== wanted)
      remarks.push(`${path} is not the picture that ${like} was made from: what comes of it is another one`);
    return picture;
  };
  const begun = await read(image, '--image', recipe?.start?.sha256);
  const area = await read(mask, '--mask', recipe?.start?.mask);
  const listed = async (
    { thing, option, things, images: given = [], scales = [] }: ListedOptions,
    before: readonly { readonly sha256: string; readonly scale: number }[],
  ): Promise<readonly { readonly image: Image; readonly scale?: number }[]> => {
    const own = things === undefined ? before : [];
    const count = things?.length ?? own.length;
    if (given.length > count || scales.length > count)
      throw new UserError(
        `[cli/generate] there are more pictures or scales than there is for them: --${thing}=${count}, --${option}-image=${given.length}, `
          + `--${option}-scale=${scales.length}. Give a --${thing} for each.`,
      );
    const all: { readonly image: Image; readonly scale?: number }[] = [];
    for (let i = 0; i < count; i++) {
      const picture = await read(given[i], `--${option}-image`, own[i]?.sha256);
      if (picture === undefined)
        throw new UserError(
          `[cli/generate] a picture is missing: --${thing}=${things?.[i]}, --${option}-image=${given.length}. Give one for each.`,
        );
      const scale = scales[i] ?? own[i]?.scale;
      all.push({ image: picture, ...(scale !== undefined && { scale }) });
    }
    return all;
  };
  const steering = await listed(
    { thing: 'control', option: 'control', things: control, images: controlImage, scales: controlScale },
    recipe?.controls ?? [],
  );
  const controls = steering.map((each, i) => {
    const between = control === undefined ? recipe?.controls[i]?.between : undefined;
    return { ...each, ...(between && { from: between[0], until: between[1] }) };
  });
  const imagePrompts = await listed(
    { thing: 'ip-adapter', option: 'ip', things: ipAdapter, images: ipImage, scales: ipScale },
    recipe?.imagePrompts ?? [],
  );
  return {
    pictures: {
      ...(begun && { image: begun }),
      ...(area && { mask: area }),
      ...(controls.length > 0 && { controls }),
      ...(imagePrompts.length > 0 && { imagePrompts }),
    },
    remarks,
  };
}

/** A picture in three channels; what is transparent is put on white. */
async function pictureIn(path: string): Promise<Image> {
  const image = flattenAlpha(await readImage(path));
  if (image.channels === 3) return image;
  const grey = image.data;
  return { ...image, channels: 3, data: Uint8Array.from({ length: 3 * grey.length }, (_, i) => grey[Math.floor(i / 3)]!) };
}
