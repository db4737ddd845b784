import { createHash } from 'node:crypto';
import type { Dataset } from '@langevin/io';
import * as v from 'valibot';
import type { TrainingData } from '../loop.ts';

/** Hexadecimal digits of each item's digest: 32 bits tell an item that has changed. */
const DIGITS = 8;

/** Classes that belong together. */
export interface ClassGroup {
  readonly name: string;
  /** Indices into the classes. */
  readonly classes: readonly number[];
}

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
});

export type DataDescription = v.InferOutput<typeof Schema>;

/** The description in a run's folder. @returns nothing when it is not one */
export function parseDataDescription(json: unknown): DataDescription | undefined {
  const parsed = v.safeParse(Schema, json);
  return parsed.success ? parsed.output : undefined;
}

/** What a data set is, and in what another one differs from it. Where it lies, and what it is called, makes no difference. */
export function describeData(dataset: Dataset, categories: readonly ClassGroup[] = []): TrainingData {
  const { imageShape, classes, length } = dataset;
  const all = Array.from({ length }, (_, i) => i);
  const now: DataDescription = {
    imageShape: [...imageShape],
    classes: classes === null ? null : [...classes],
    categories: categories.map((group) => ({ name: group.name, classes: [...group.classes] })),
    items: all.map((i) => dataset.itemName(i)),
    digests: all.map((i) => digest(dataset, i)).join(''),
  };
  return { description: now, difference: (stored) => difference(stored, now) };
}

function digest(dataset: Dataset, i: number): string {
  const { image, label } = dataset.item(i);
  return createHash('sha256').update(image).update(String(label)).digest('hex').slice(0, DIGITS);
}

function difference(json: unknown, now: DataDescription): string | undefined {
  const stored = parseDataDescription(json);
  if (stored === undefined) return 'their description is damaged';
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
  const at = now.items.findIndex((_, i) => digestAt(stored, i) !== digestAt(now, i));
  return at < 0
    ? `number of items was ${stored.items.length}, now ${now.items.length}`
    : `pixels or label of item ${at} ("${now.items[at]}") are others`;
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
