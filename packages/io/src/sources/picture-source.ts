import { readOptions, shownValue, UserError } from '@langevin/tensor';
import { checksumOf } from '../checksum.ts';
import { checkImage, checkImages, type Image } from '../images/image.ts';
import { defineDataSource, type DataSource, type PictureItem } from './data-source.ts';

export interface PictureSourceOptions {
  readonly name: string;
  /** Pictures, grey or RGB, of any sizes; they are not copied. */
  readonly pictures: readonly Image[];
  /** Of each picture, its class as an integer >= 0. @default the pictures are not labelled */
  readonly labels?: ArrayLike<number>;
  /** What the labels stand for. @default '0', '1', ... */
  readonly classes?: readonly string[];
  /** What each picture is called, no two alike. @default `name` with the number of the picture */
  readonly names?: readonly string[];
  /** What each picture shows. @default its class, else its name */
  readonly captions?: readonly string[];
}

/**
 * Pictures that lie in memory as a data source. A label becomes the attributes `label` (its number) and `class` (what it stands for).
 *
 * @throws UserError when there is no picture, one is no image without alpha, lists are of different lengths, or a label has no class
 * @example
 * import { pictureSource } from '@langevin/io';
 * const grey = (level: number) => ({ width: 1, height: 1, channels: 1, data: Uint8Array.of(level) } as const);
 * const source = pictureSource({ name: 'greys', pictures: [grey(0), grey(255)], labels: [0, 1], classes: ['black', 'white'] });
 * source.about(1).attributes; // => { label: '1', class: 'white' }
 */
export function pictureSource(options: PictureSourceOptions): DataSource<PictureItem> {
  const { name, pictures, labels, classes, names, captions } = readOptions('io/sources', options);
  if (typeof name !== 'string' || name.trim() === '')
    throw new UserError(`[io/sources] pictures need a name: name=${shownValue(name)}. Say what they are.`);
  checkImages(pictures, '[io/sources] pictureSource');
  for (const [i, picture] of pictures.entries()) {
    checkImage(picture, `[io/sources] picture ${i} of ${name}`);
    if (picture.channels !== 1 && picture.channels !== 3)
      throw new UserError(
        `[io/sources] picture has alpha: ${name}, picture=${i}, channels=${picture.channels}. Put it on a background: flattenAlpha().`,
      );
  }
  for (const [list, of] of Object.entries({ labels, names, captions })) checkLength(list, of, { name, length: pictures.length });
  if (labels === undefined && classes !== undefined)
    throw new UserError(`[io/sources] classes are given without labels: ${name}, classes=${shownValue(classes)}. Give labels too.`);
  return labelledSource({
    name,
    count: pictures.length,
    picture: (i) => pictures[i]!,
    contentOf: (i) => contentOfPicture(pictures[i]!),
    ...(labels && { labels }),
    ...(classes && { classes }),
    ...(names && { nameOf: (i: number) => names[i]! }),
    ...(captions && { captionOf: (_: string, i: number) => captions[i]! }),
  });
}

export interface LabelledSourceOptions {
  readonly name: string;
  readonly count: number;
  readonly picture: (i: number) => Image;
  /** What {@link DataSource.contentOf} tells. */
  readonly contentOf: (i: number) => string;
  readonly labels?: ArrayLike<number>;
  readonly classes?: readonly string[];
  readonly nameOf?: (i: number) => string;
  /** @default the class */
  readonly captionOf?: (className: string, i: number) => string;
}

/** Pictures of one file with a label each, decoded as they are asked for; each is a group of its own. */
export function labelledSource(options: LabelledSourceOptions): DataSource<PictureItem> {
  const { name, count, picture, contentOf, labels, classes, nameOf = (i) => `${name} ${i}`, captionOf = (text) => text } = options;
  const classOf = (i: number): string => {
    const label = labels![i]!;
    if (Number.isSafeInteger(label) && label >= 0 && label < (classes?.length ?? Infinity)) return classes?.[label] ?? String(label);
    throw new UserError(
      `[io/sources] label has no class: ${name}, picture=${i}, label=${label}, classes=${classes?.length ?? 'none named'}. `
        + 'Give integers from 0, and a class for each.',
    );
  };
  const notes = Array.from({ length: count }, (_, i) => {
    const item = nameOf(i);
    if (labels === undefined) return { caption: captionOf(item, i), name: item, group: item, attributes: {} };
    const className = classOf(i);
    return { caption: captionOf(className, i), name: item, group: item, attributes: { label: String(labels[i]), class: className } };
  });
  return defineDataSource<PictureItem>({ name, kind: 'picture', notes, contentOf, load: (i) => ({ image: picture(i) }) });
}

/** Form and checksum of a picture. */
export function contentOfPicture({ width, height, channels, data }: Image): string {
  const pixels = new Map([['pixels', { dtype: 'uint8', shape: [height, width, channels], data } as const]]);
  return checksumOf([], pixels);
}

function checkLength(
  list: string,
  of: ArrayLike<unknown> | undefined,
  { name, length }: { readonly name: string; readonly length: number },
): void {
  if (of === undefined || of?.length === length) return;
  throw new UserError(
    `[io/sources] lists are of different lengths: ${name}, pictures=${length}, ${list}=${of?.length ?? shownValue(of)}. Give one for each.`,
  );
}
