import { UserError } from '@langevin/tensor';
import type { Image } from '../images/image.ts';
import { splitData, type DataItem, type DataSource, type ItemNotes } from '../sources/data-source.ts';
import type { DataPlugin, OpenContext } from '../sources/define-data.ts';

export interface CheckDataOptions extends OpenContext {
  /** Options that it is opened with. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Items that are loaded, evenly from first to last; the notes of all are looked at. @default 16 */
  readonly load?: number;
}

/**
 * The conformance kit of data sets with captions: opens one twice and checks everything that training relies on. Throws at the first
 * failure, so that it works in any test runner.
 *
 * @throws UserError saying which promise is broken
 * @example
 * import { captionedShapesData } from '@langevin/io/node';
 * import { checkData } from '@langevin/io/testing';
 * await checkData(captionedShapesData, { options: { count: 20 }, folders: {} });
 */
export async function checkData(plugin: DataPlugin<never>, { options, folders, load = 16 }: CheckDataOptions): Promise<void> {
  const { name, summary, licences } = plugin;
  const promise: Check = (holds, what) => {
    if (!holds) throw new UserError(`[io/testing] data set ${JSON.stringify(name)} breaks its contract: ${what}.`);
  };
  promise(summary.trim() !== '', 'summary must say what it is');
  promise(licences.length > 0, 'licences must not be empty');
  for (const licence of licences)
    promise(
      licence.name.trim() !== '' && licence.attribution.trim() !== '',
      `licence ${JSON.stringify(licence)} needs a name and an attribution`,
    );
  const parts = plugin.parts(options as never);
  for (const part of parts)
    promise(
      licences.some((licence) => licence.parts?.includes(part.name) ?? true),
      `part ${part.name} must be under a licence`,
    );
  promise(new Set(parts.map((part) => part.name)).size === parts.length, 'parts must have names of their own');
  promise(await refuses(() => plugin.open({ ...options, 'no-such-option': 1 } as never, { folders })), 'an unknown option must be refused');

  const open = (): Promise<DataSource> => plugin.open(options as never, { folders });
  const [first, second] = [await open(), await open()];
  promise(Number.isSafeInteger(first.length) && first.length > 0, `length=${first.length} must be a positive integer`);
  promise(first.length === second.length, 'opening twice must give the same length');
  checkNotes([first, second], promise);
  const step = Math.max(1, Math.floor(first.length / load));
  for (let i = 0; i < first.length; i += step) await checkItem([first, second], { i, promise });
  for (const i of [-1, first.length, 0.5, NaN]) {
    promise(await refuses(() => first.load(i)), `load(${i}) must be refused`);
    promise(await refuses(async () => first.about(i)), `about(${i}) must be refused`);
  }
  checkSplit(first, promise);
}

type Check = (holds: boolean, what: string) => void;
type Pair = readonly [DataSource, DataSource];

function checkNotes([first, second]: Pair, promise: Check): void {
  const names = new Set<string>();
  for (let i = 0; i < first.length; i += 1) {
    const notes = first.about(i);
    for (const key of ['caption', 'name', 'group'] as const)
      promise(typeof notes[key] === 'string' && notes[key].trim() !== '', `about(${i}).${key} must be text`);
    promise(
      Object.values(notes.attributes).every((value) => typeof value === 'string'),
      `about(${i}).attributes must be texts`,
    );
    promise(!names.has(notes.name), `about(${i}).name=${JSON.stringify(notes.name)} must be no other item's`);
    names.add(notes.name);
    promise(first.itemName(i) === notes.name, `itemName(${i}) must be its name`);
    promise(same(notes, second.about(i)), `about(${i}) must be the same after opening again`);
  }
}

async function checkItem([first, second]: Pair, { i, promise }: { readonly i: number; readonly promise: Check }): Promise<void> {
  const [item, again] = [await first.load(i), await second.load(i)];
  promise(item.kind === first.kind, `load(${i}).kind=${item.kind} must be ${first.kind}`);
  promise(same(item, first.about(i)), `load(${i}) must have the notes of about(${i})`);
  const images = imagesOf(item);
  promise(images.length > 0, `load(${i}) must have a frame`);
  for (const image of images) {
    promise(image.channels === 1 || image.channels === 3, `load(${i}) must be grey or RGB, not of ${image.channels} channels`);
    promise(
      image.data instanceof Uint8Array && image.data.length === image.width * image.height * image.channels,
      `load(${i}) must have width * height * channels bytes`,
    );
    promise(image.width === images[0]!.width && image.height === images[0]!.height, `load(${i}) must have frames of one size`);
  }
  if (item.kind === 'clip') promise(item.framesPerSecond > 0 && Number.isFinite(item.framesPerSecond), `load(${i}) must have a rate`);
  const others = imagesOf(again);
  promise(
    others.length === images.length && others.every((image, k) => Buffer.compare(image.data, images[k]!.data) === 0),
    `load(${i}) must give the same pixels after opening again`,
  );
}

/** Where there are groups enough for two parts, no group may be in both. */
function checkSplit(source: DataSource, promise: Check): void {
  const groups = new Set(Array.from({ length: source.length }, (_, i) => source.about(i).group));
  if (groups.size < 16) return;
  const { a, b } = splitData(source, { shares: { a: 0.5, b: 0.5 }, seed: 0 });
  const groupsOf = (part: DataSource): Set<string> => new Set(Array.from({ length: part.length }, (_, i) => part.about(i).group));
  const inA = groupsOf(a);
  promise(a.length + b.length === source.length && ![...groupsOf(b)].some((group) => inA.has(group)), 'a split must keep groups together');
}

function imagesOf(item: DataItem): readonly Image[] {
  return item.kind === 'picture' ? [item.image] : item.frames;
}

function same(a: ItemNotes, b: ItemNotes): boolean {
  const text = ({ caption, name, group, attributes }: ItemNotes): string =>
    JSON.stringify([caption, name, group, Object.entries(attributes).sort(([x], [y]) => (x < y ? -1 : 1))]);
  return text(a) === text(b);
}

async function refuses(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return false;
  } catch {
    return true;
  }
}
