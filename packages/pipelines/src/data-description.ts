import { createHash } from 'node:crypto';
import type { TrainingData } from '@langevin/training';
import * as v from 'valibot';
import type { LabelledPictures } from './labelled-pictures.ts';

/** Hexadecimal digits of each item's digest: 32 bits tell an item that has changed. */
const DIGITS = 8;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What a run was trained on, as its folder keeps it. */
const Schema = v.strictObject({
  imageShape: v.tuple([count, count, count]),
  /** Name of each label; null for images without labels. */
  classes: v.nullable(v.array(v.string())),
  categories: v.array(v.strictObject({ name: v.string(), classes: v.array(count) })),
  items: v.array(v.string()),
  /** Of pixels and label of each item in turn, DIGITS each. */
  digests: v.string(),
  /** SHA-256 of the weights of the autoencoder whose latents they are; absent for pixels. */
  autoencoder: v.optional(v.string()),
});

export type DataDescription = v.InferOutput<typeof Schema>;

/** The description in a run's folder. @returns nothing when it is not one */
export function parseDataDescription(json: unknown): DataDescription | undefined {
  const parsed = v.safeParse(Schema, json);
  return parsed.success ? parsed.output : undefined;
}

/** So many items are looked at, evenly spread; of larger sets the rest is told apart by their names. */
const MOST_DIGESTS = 100_000;

/**
 * What a run is trained on, and in what other data differ from it. Where they lie, and what they are called, makes no difference.
 *
 * @throws UserError when a picture cannot be loaded
 */
export async function describeData(
  { source, classes, labels, categories }: LabelledPictures,
  { autoencoder }: { readonly autoencoder?: string | undefined } = {},
): Promise<TrainingData> {
  const { length } = source;
  const stride = strideOf(length);
  const digests: string[] = [];
  let shape: readonly number[] | undefined;
  for (let i = 0; i < length; i += stride) {
    const { image } = await source.load(i);
    shape ??= [image.channels, image.height, image.width];
    digests.push(digest(image.data, labels[i]!));
  }
  const now: DataDescription = {
    imageShape: shape as DataDescription['imageShape'],
    classes: classes === null ? null : [...classes],
    categories: categories.map((group) => ({ name: group.name, classes: [...group.classes] })),
    items: Array.from({ length }, (_, i) => source.itemName(i)),
    digests: digests.join(''),
    ...(autoencoder !== undefined && { autoencoder }),
  };
  return { description: now, difference: (stored) => difference(stored, now) };
}

function digest(pixels: Uint8Array, label: number): string {
  return createHash('sha256').update(pixels).update(String(label)).digest('hex').slice(0, DIGITS);
}

function difference(json: unknown, now: DataDescription): string | undefined {
  const stored = parseDataDescription(json);
  if (stored === undefined) return 'their description is damaged';
  if (stored.autoencoder !== now.autoencoder)
    return `the autoencoder of latents was ${stored.autoencoder ?? 'none'}, now ${now.autoencoder ?? 'none'}`;
  const shapes = [stored.imageShape, now.imageShape].map((shape) => `[${shape.join(', ')}]`);
  if (shapes[0] !== shapes[1]) return `images were ${shapes[0]}, now ${shapes[1]}`;
  return changedNames('class', stored.classes ?? [], now.classes ?? []) ?? changedItems(stored, now);
}

/** Which names came, went, or stand at another place. */
function changedNames(kind: 'class' | 'item', stored: readonly string[], now: readonly string[]): string | undefined {
  const [before, after] = [new Set(stored), new Set(now)];
  const added = now.filter((name) => !before.has(name));
  const gone = stored.filter((name) => !after.has(name));
  const parts = [
    ...(added.length > 0 ? [`${kind} added: ${some(added)}`] : []),
    ...(gone.length > 0 ? [`${kind} gone: ${some(gone)}`] : []),
  ];
  if (parts.length > 0) return parts.join(', ');
  const at = Array.from(now, (name, i) => name !== stored[i]).indexOf(true);
  return at < 0 ? undefined : `${kind} ${at} was "${stored[at]}", now "${now[at]}"`;
}

/** The same pixels and labels under other names are the same data. */
function changedItems(stored: DataDescription, now: DataDescription): string | undefined {
  if (stored.digests === now.digests) return undefined;
  const names = changedNames('item', stored.items, now.items);
  if (names !== undefined) return names;
  if (stored.items.length !== now.items.length) return `number of items was ${stored.items.length}, now ${now.items.length}`;
  const looked = Array.from({ length: now.digests.length / DIGITS }, (_, i) => i);
  const at = looked.find((i) => digestAt(stored, i) !== digestAt(now, i))! * strideOf(now.items.length);
  return `pixels or label of item ${at} ("${now.items[at]}") are others`;
}

/** Every how many items one is looked at. */
function strideOf(length: number): number {
  return Math.max(1, Math.ceil(length / MOST_DIGESTS));
}

function digestAt({ digests }: DataDescription, i: number): string {
  return digests.slice(i * DIGITS, (i + 1) * DIGITS);
}

function some(names: readonly string[]): string {
  const shown = names
    .slice(0, 3)
    .map((name) => `"${name}"`)
    .join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
