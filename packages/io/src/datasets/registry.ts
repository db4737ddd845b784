import { didYouMean, UserError } from '@langevin/tensor';
import { cifar10Dataset } from './cifar10.ts';
import type { Dataset, DatasetPlugin } from './dataset.ts';
import { emojiDataset } from './emoji.ts';
import { idxDataset } from './idx.ts';
import { imageFolderDataset } from './image-folder.ts';

/** The kinds of data set that come with this package. A test fails when a file of this folder is not among them. */
export const datasetPlugins: readonly DatasetPlugin[] = [cifar10Dataset, emojiDataset, idxDataset, imageFolderDataset];

/**
 * Load a data set that a configuration describes: its `name` chooses the kind, the rest are the options of that kind.
 *
 * @param plugins the kinds to choose from; add your own here. @default the ones of this package
 * @throws {UserError} when the name is unknown, listing those that exist, or an option is wrong
 * @example
 * import { loadDataset } from '@langevin/io/node';
 * const emoji = await loadDataset({ name: 'emoji', size: 16, labels: 'category' });
 * emoji.classes?.slice(0, 2); // => ['Smileys & Emotion', 'People & Body']
 */
export async function loadDataset(config: unknown, plugins: readonly DatasetPlugin[] = datasetPlugins): Promise<Dataset> {
  const { name, ...options } = (typeof config === 'object' && config !== null ? config : {}) as Record<string, unknown>;
  const plugin = plugins.find((candidate) => candidate.name === name);
  if (plugin === undefined) {
    const known = plugins.map((candidate) => candidate.name).sort();
    const hint = typeof name === 'string' ? didYouMean(name, known) : '';
    throw new UserError(`[io/datasets] unknown data set name=${JSON.stringify(name) ?? 'none'}.${hint} Known: ${known.join(', ')}.`);
  }
  return plugin.load(options);
}
