import { readOptions, shownValue, UserError } from '@langevin/tensor';
import * as v from 'valibot';

/** Classes that belong together, such as the sub-categories of a category of emoji. */
export interface Category {
  readonly name: string;
  /** Labels, each an index into the classes. */
  readonly classes: readonly number[];
}

/** What the labels of a model stand for. */
export interface Labels {
  /** Name of each label. */
  readonly classes: readonly string[];
  /** @default none: every class stands alone */
  readonly categories: readonly Category[];
  /** The label that stands for no class, where the network was trained without labels too. @default there is none */
  readonly none?: number;
}

/** Characters of the name of a class or category. */
export const LONGEST_NAME = 256;

const name = v.pipe(v.string(), v.nonEmpty(), v.maxLength(LONGEST_NAME));

/** `labels.json`. */
export const labelsSchema = v.strictObject({
  classes: v.pipe(v.array(name), v.minLength(1), v.maxLength(100_000)),
  categories: v.optional(
    v.array(v.strictObject({ name, classes: v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.minLength(1)) })),
    () => [],
  ),
  none: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

/** Classes that have no names are known by their numbers. */
export function numberedLabels(count: number): Labels {
  return { classes: Array.from({ length: count }, (_, label) => String(label)), categories: [] };
}

/** @throws UserError when a category names a class that is not there, or there are more classes than the network knows */
export function checkLabels(labels: Labels, options: { readonly known: number; readonly from: string }): Labels {
  const { known, from } = options;
  if (labels.classes.length > known) {
    throw new UserError(
      `[pipelines/labels] network knows fewer classes than are named: file=${from}, classes=${labels.classes.length}, `
        + `num_class_embeds=${known}. Take the file that belongs to these weights.`,
    );
  }
  if (labels.none !== undefined && (labels.none < labels.classes.length || labels.none >= known)) {
    throw new UserError(
      `[pipelines/labels] label for no class is one of a class, or not the network's: file=${from}, none=${labels.none}, `
        + `classes=${labels.classes.length}, num_class_embeds=${known}. Correct the file.`,
    );
  }
  for (const category of labels.categories) {
    const wrong = category.classes.find((label) => label >= labels.classes.length);
    if (wrong !== undefined) {
      throw new UserError(
        `[pipelines/labels] category has a class that is not named: file=${from}, category="${category.name}", class=${wrong}, `
          + `classes=${labels.classes.length}. Correct the file.`,
      );
    }
  }
  return labels;
}

/** Names by which a person may ask for classes: each class alone, and each category. */
export function labelChoices(labels: Labels): readonly Category[] {
  const { classes, categories } = readOptions<Labels>('pipelines/labels', labels);
  if (!Array.isArray(classes) || !Array.isArray(categories))
    throw new UserError(
      `[pipelines/labels] these are no labels: classes=${shownValue(classes)}, categories=${shownValue(categories)}. Pass a model's.`,
    );
  const taken = new Set(categories.map((category) => category.name));
  return [...categories, ...classes.flatMap((className, label) => (taken.has(className) ? [] : [{ name: className, classes: [label] }]))];
}
