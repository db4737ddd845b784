import type { Dataset } from '@langevin/io';
import { loadDataset } from '@langevin/io/node';
import type { DiffusionTrainingConfig } from '@langevin/training';
import type { Category, Labels } from './labels.ts';

/** What the labels of a data set stand for, with their categories where the data set has two ranks of labels. */
export async function datasetLabels(dataset: Dataset, config: DiffusionTrainingConfig['data']): Promise<Labels | undefined> {
  if (dataset.classes === null) return undefined;
  return { classes: dataset.classes, categories: await categoriesOf(dataset, config) };
}

/** Emoji are the one data set with several ranks of labels: the same items labelled by category say which belongs to which. */
async function categoriesOf(dataset: Dataset, config: DiffusionTrainingConfig['data']): Promise<readonly Category[]> {
  return isRefined(config) ? groups(dataset, await loadDataset({ ...config, labels: 'category' })) : [];
}

/** For data with a rank of labels between classes and categories: the sub-categories of the classes. */
export async function subcategoriesOf(dataset: Dataset, config: DiffusionTrainingConfig['data']): Promise<readonly Category[]> {
  return isRefined(config) ? groups(dataset, await loadDataset({ ...config, labels: 'subcategory' })) : [];
}

function isRefined(config: DiffusionTrainingConfig['data']): boolean {
  return config.name === 'emoji' && (config['labels'] === 'subcategory' || config['labels'] === 'name');
}

/** Which classes of a data set fall under each class of the same items labelled more coarsely. */
function groups(dataset: Dataset, upper: Dataset): readonly Category[] {
  const members = upper.classes!.map(() => new Set<number>());
  for (let i = 0; i < dataset.length; i++) members[upper.item(i).label]!.add(dataset.item(i).label);
  return upper.classes!.map((name, i) => ({ name, classes: [...members[i]!].sort((a, b) => a - b) }));
}
