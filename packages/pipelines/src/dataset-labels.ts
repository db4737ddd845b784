import type { Dataset } from '@langevin/io';
import { loadDataset } from '@langevin/io/node';
import type { DiffusionTrainingConfig } from '@langevin/training';
import type { Category, Labels } from './labels.ts';

/** What the labels of a data set stand for, with their categories where the data set has two ranks of labels. */
export async function datasetLabels(dataset: Dataset, config: DiffusionTrainingConfig['data']): Promise<Labels | undefined> {
  if (dataset.classes === null) return undefined;
  return { classes: dataset.classes, categories: await categoriesOf(dataset, config) };
}

/** Emoji are the one data set with sub-categories: the same items labelled by category say which belongs to which. */
async function categoriesOf(dataset: Dataset, config: DiffusionTrainingConfig['data']): Promise<readonly Category[]> {
  if (config.name !== 'emoji' || config['labels'] !== 'subcategory') return [];
  const upper = await loadDataset({ ...config, labels: 'category' });
  const members = upper.classes!.map(() => new Set<number>());
  for (let i = 0; i < dataset.length; i++) members[upper.item(i).label]!.add(dataset.item(i).label);
  return upper.classes!.map((name, i) => ({ name, classes: [...members[i]!].sort((a, b) => a - b) }));
}
