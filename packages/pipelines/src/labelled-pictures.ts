import { cachedInMemory, type DataSource, type ItemNotes, type PictureItem, type Source } from '@langevin/io';
import { didYouMean, shownValue, UserError } from '@langevin/tensor';
import { LONGEST_NAME, type Category } from './labels.ts';

/** Pictures with the class of each. */
export interface LabelledPictures {
  /** Pictures stay in memory once they are loaded, as far as they find room there. */
  readonly source: Source<PictureItem>;
  /** What each label stands for; null when the pictures are not labelled. */
  readonly classes: readonly string[] | null;
  /** Of each picture, an index into the classes; 0 without classes. */
  readonly labels: Int32Array;
  /** Which classes belong together. */
  readonly categories: readonly Category[];
  /** Classes by what else all pictures of them have in common: other attributes that a class has but one value of. */
  readonly alsoKnownAs: readonly (readonly string[])[];
}

export interface LabelledPicturesOptions {
  /** The attribute that is the class. @default the pictures have no classes */
  readonly labels?: string | undefined;
  /** The attribute that groups classes. @default they are not grouped */
  readonly categories?: string | undefined;
}

/** Attributes of more values than this are no classes: one embedding each would be a table of the data set. */
const MOST_CLASSES = 100_000;

/**
 * The pictures of a data set, with the value of an attribute as the class of each. Classes are in the order of their names, numbers by
 * size, whatever the order of the pictures.
 *
 * @throws UserError when the data are clips, or a picture lacks an attribute that is asked for
 */
export function labelledPictures(source: DataSource, { labels: by, categories: groups }: LabelledPicturesOptions = {}): LabelledPictures {
  if (!isPictures(source)) {
    throw new UserError(
      `[pipelines/data] data are not pictures: data=${source.name}, kind=${source.kind}. Choose one of pictures: "langevin data list".`,
    );
  }
  const notes = Array.from({ length: source.length }, (_, i) => source.about(i));
  if (by === undefined && groups !== undefined) {
    throw new UserError(`[pipelines/data] there is nothing to group: categories=${groups}, labels=none. Give labels too.`);
  }
  const valuesOf = (attribute: string): readonly string[] => notes.map((note, i) => valueOf(note, attribute, { source, item: i }));
  const names = by === undefined ? undefined : valuesOf(by);
  const classes = names === undefined ? null : inOrder(names);
  if (classes !== null && classes.length > MOST_CLASSES) {
    throw new UserError(
      `[pipelines/data] attribute has too many values to be a class: labels=${by}, values=${classes.length}. Choose another.`,
    );
  }
  const at = new Map(classes?.map((name, label) => [name, label]));
  const labels = names === undefined ? new Int32Array(notes.length) : Int32Array.from(names, (name) => at.get(name)!);
  return Object.freeze({
    source: cachedInMemory(source, { bytesOf: ({ image }) => image.data.byteLength }),
    classes,
    labels,
    categories: groups === undefined ? [] : grouped(valuesOf(groups), labels),
    alsoKnownAs: classes === null ? [] : commonValues(notes, { labels, classes }),
  });
}

export function isPictures(source: DataSource): source is DataSource<PictureItem> {
  return source.kind === 'picture';
}

function valueOf({ attributes }: ItemNotes, attribute: string, at: { readonly source: DataSource; readonly item: number }): string {
  if (Object.hasOwn(attributes, attribute)) {
    const value = attributes[attribute]!;
    if (value !== '' && value.length <= LONGEST_NAME) return value;
    throw new UserError(
      `[pipelines/data] a class or category has no name that models keep: ${attribute}=${shownValue(value)}, data=${at.source.name}, `
        + `item=${at.source.itemName(at.item)}. Give 1 to ${LONGEST_NAME} characters.`,
    );
  }
  const known = Object.keys(attributes);
  throw new UserError(
    `[pipelines/data] a picture has no such attribute: attribute=${attribute}, data=${at.source.name}, item=${at.source.itemName(at.item)}.`
      + `${didYouMean(attribute, known)} It has: ${known.join(', ') || 'none'}.`,
  );
}

function inOrder(names: readonly string[]): readonly string[] {
  const isNumber = (name: string): boolean => /^-?\d+(?:\.\d+)?$/u.test(name);
  const unique = [...new Set(names)];
  const byName = unique.sort();
  // Numbers that are written differently and are the same stay in the order of their names.
  return unique.every(isNumber) ? byName.sort((a, b) => Number(a) - Number(b)) : byName;
}

function grouped(groupOf: readonly string[], labels: Int32Array): readonly Category[] {
  const members = new Map<string, Set<number>>(inOrder(groupOf).map((name) => [name, new Set()]));
  groupOf.forEach((name, i) => members.get(name)!.add(labels[i]!));
  return [...members].map(([name, classes]) => ({ name, classes: [...classes].sort((a, b) => a - b) }));
}

function commonValues(
  notes: readonly ItemNotes[],
  { labels, classes }: { readonly labels: Int32Array; readonly classes: readonly string[] },
): readonly (readonly string[])[] {
  const common: (Map<string, string> | undefined)[] = classes.map(() => undefined);
  notes.forEach(({ attributes }, i) => {
    const known = common[labels[i]!];
    if (known === undefined) common[labels[i]!] = new Map(Object.entries(attributes));
    else for (const [name, value] of known) if (attributes[name] !== value) known.delete(name);
  });
  return common.map((values, label) => [...new Set(values?.values() ?? [])].filter((value) => value !== classes[label]));
}
