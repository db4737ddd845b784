import { readFile } from 'node:fs/promises';
import { flattenAlpha, readPngText, type Image } from '@langevin/io';
import { readImage } from '@langevin/io/node';
import {
  pictureDigest,
  recipeOfNotes,
  type AdapterChoice,
  type ControlChoice,
  type GenerateOptions,
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
    scheduler,
    sampler,
    start,
  } = recipe;
  return {
    ...(negativePrompt !== null && { negativePrompt }),
    ...(noise === 'shared' && { count: pictures }),
    ...(clipSkip !== null && { clipSkip }),
    ...(start !== null && { strength: start.strength }),
    ...(sampler === null && { eta, scheduler: scheduler ?? {} }),
    ...{ seed: BigInt(seed), noise, width, height, steps, guidance, guidanceRescale },
  };
}

/** What is added to a model, and what steers it: what the command line says, else what the picture that is made again had. */
export function changesOf(
  { lora, control }: FileOptions,
  recipe: PictureRecipe | undefined,
): { readonly adapters?: readonly AdapterChoice[]; readonly controls?: readonly ControlChoice[] } {
  const adapters = lora ?? recipe?.adapters ?? [];
  const controls = control ?? recipe?.controls.map(({ from }) => from) ?? [];
  return {
    ...(adapters.length > 0 && { adapters }),
    ...(controls.length > 0 && { controls: controls.map((from) => ({ from })) }),
  };
}

/** The pictures that a call is given, and what is to be said where they are others than those of the picture that is made again. */
export async function picturesOf(
  { like, image, mask, control, controlImage, controlScale }: FileOptions,
  recipe: PictureRecipe | undefined,
): Promise<{ readonly pictures: Pick<GenerateOptions, 'image' | 'mask' | 'controls'>; readonly remarks: readonly string[] }> {
  const remarks: string[] = [];
  const read = async (path: string | undefined, option: string, wanted: string | null | undefined): Promise<Image | undefined> => {
    if (path === undefined) {
      if (wanted === undefined || wanted === null) return undefined;
      throw new UserError(
        `[cli/generate] picture was made from another one, which its file does not hold: --like=${like}, sha256=${wanted}. Give that one `
          + `with ${option}.`,
      );
    }
    const picture = await pictureIn(path);
    if (wanted && (await pictureDigest(picture)) !== wanted)
      remarks.push(`${path} is not the picture that ${like} was made from: what comes of it is another one`);
    return picture;
  };
  const begun = await read(image, '--image', recipe?.start?.sha256);
  const area = await read(mask, '--mask', recipe?.start?.mask);
  const before = control === undefined ? (recipe?.controls ?? []) : [];
  const count = control?.length ?? before.length;
  const given = controlImage ?? [];
  if (given.length > count || (controlScale?.length ?? 0) > count)
    throw new UserError(
      `[cli/generate] there are more pictures or scales than controls: --control=${count}, --control-image=${given.length}, `
        + `--control-scale=${controlScale?.length ?? 0}. Give a --control for each.`,
    );
  const controls: { readonly image: Image; readonly scale?: number; readonly from?: number; readonly until?: number }[] = [];
  for (let i = 0; i < count; i++) {
    const own = before[i];
    const picture = await read(given[i], '--control-image', own?.sha256);
    if (picture === undefined)
      throw new UserError(
        `[cli/generate] a control has no picture: --control=${control?.[i]}, --control-image=${given.length}. Give one for each.`,
      );
    const scale = controlScale?.[i] ?? own?.scale;
    controls.push({ image: picture, ...(scale !== undefined && { scale }), ...(own && { from: own.between[0], until: own.between[1] }) });
  }
  return {
    pictures: { ...(begun && { image: begun }), ...(area && { mask: area }), ...(controls.length > 0 && { controls }) },
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
