import type { NetworkInfo } from '@langevin/core';
import { didYouMean, shownValue, tensor, UserError, type Tensor } from '@langevin/tensor';
import { isPlainObject } from '../../checkpoint/plain-object.ts';

const WHERE = 'pipelines/generate';
const MOST_NAMES = 200;

/** What the classes of a network are called. */
export interface ClassNames {
  /** [N], int32: the classes that prompts name, by a name or a number; no prompt is none. */
  readonly labels: (prompts: readonly (string | undefined)[]) => Tensor;
}

/**
 * The classes of a network, by the names of `id2label` in `model_index.json` (each with its other names behind commas) and by their
 * numbers.
 *
 * @param from the file of the names, for messages
 */
export function classNames(info: NetworkInfo, id2label: unknown, from: string): ClassNames {
  const spec = info.conditions['label'];
  if (spec?.kind !== 'label')
    throw new UserError(`[${WHERE}] network knows no classes: file=${from}. Give a checkpoint whose network is told labels.`);
  const { count, none } = spec;
  if (none === null) throw new UserError(`[${WHERE}] network has no label that stands for none: file=${from}. It cannot be guided.`);
  const classes = none < count ? count - 1 : count;
  const known = namesOf(id2label, { classes, from });
  const one = (prompt: string | undefined): number => {
    if (prompt === undefined) return none;
    const text = prompt.trim();
    const number = /^\d{1,9}$/u.test(text) ? Number(text) : undefined;
    const label = known.get(text.toLowerCase()) ?? (number !== undefined && number < classes ? number : undefined);
    if (label !== undefined) return label;
    const names = [...known.keys()];
    throw new UserError(
      `[${WHERE}] the model has no such class: prompt=${shownValue(prompt)}.${didYouMean(text.toLowerCase(), names)} Give a number from 0 `
        + `to ${classes - 1}${names.length === 0 ? '' : `, or a name such as ${names.slice(0, 3).join(', ')}`}.`,
    );
  };
  return { labels: (prompts) => tensor(Int32Array.from(prompts, one), { dtype: 'int32', shape: [prompts.length] }) };
}

function namesOf(id2label: unknown, { classes, from }: { readonly classes: number; readonly from: string }): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  if (id2label === undefined || id2label === null) return names;
  const entries = isPlainObject(id2label) ? Object.entries(id2label) : [];
  const wrong = entries.find(
    ([id, name]) => !/^\d{1,9}$/u.test(id) || Number(id) >= classes || typeof name !== 'string' || name.length > 10_000,
  );
  if (!isPlainObject(id2label) || wrong !== undefined)
    throw new UserError(
      `[${WHERE}] names of classes are not valid: file=${from}, id2label=${shownValue(wrong?.[0] ?? id2label)}. Give names by `
        + `numbers from 0 to `
        + `${classes - 1}.`,
    );
  for (const [id, listed] of entries)
    for (const name of (listed as string).split(',').slice(0, MOST_NAMES)) {
      const own = name.trim().toLowerCase();
      // As in Python's dictionaries, the last of two classes with one name has it.
      if (own !== '') names.set(own, Number(id));
    }
  return names;
}
