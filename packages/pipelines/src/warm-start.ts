import { fromStateDict, toStateDict } from '@langevin/nn';
import type { HostTensor } from '@langevin/io';
import { widened } from './widened.ts';
import { InternalError, UserError } from '@langevin/tensor';
import type { DiffusionModel } from './diffusion-model.ts';
import type { Labels } from './labels.ts';

export interface WarmStartOptions {
  /** The parameters of the new network as it would start by itself. */
  readonly fresh: unknown;
  /** The model to start from: of the same architecture, perhaps with other classes. */
  readonly model: DiffusionModel;
  readonly labels: Labels | undefined;
  /** Other names of each new class: the sub-category that it is of, say. @default none */
  readonly alsoKnownAs?: readonly (readonly string[])[];
}

const CLASSES = 'class_embedding.weight';

/**
 * The parameters of another model as a start. Where classes differ, a class takes the embedding of the class of the same name, or else that
 * of another of its names, or else stays as it is: a model that knows "cat-face" is no bad start for one that tells cat faces apart.
 *
 * @throws UserError when the networks differ in more than their classes
 */
export async function warmStart({ fresh, model, labels, alsoKnownAs = [] }: WarmStartOptions): Promise<unknown> {
  const target = await toStateDict(fresh);
  const source = new Map([...(await toStateDict(model.params))].map(([name, entry]) => [name, widened(entry)]));
  const entries = new Map<string, HostTensor>();
  for (const [name, entry] of target) {
    const known = source.get(name);
    if (known !== undefined && same(known.shape, entry.shape) && name !== CLASSES) entries.set(name, known);
    else if (known !== undefined && name === CLASSES && known.shape[1] === entry.shape[1])
      entries.set(name, embeddings(entry, known, rowsOf(labels, model.labels, alsoKnownAs)));
    else
      throw new UserError(
        `[pipelines/warm-start] network cannot start from the other one: ${name} is [${entry.shape.join(', ')}], there `
          + `${known ? `[${known.shape.join(', ')}]` : 'it does not exist'}. Use the same backbone; only the number of classes may `
          + 'differ.',
      );
  }
  const extra = [...source.keys()].find((name) => !target.has(name));
  if (extra !== undefined)
    throw new UserError(
      `[pipelines/warm-start] network cannot start from the other one: it has no ${extra}. Use the same backbone; only the number `
        + 'of classes may differ.',
    );
  return fromStateDict(fresh, entries, { from: 'the model to start from' });
}

/** For each new class, the label there whose embedding it takes. */
function rowsOf(
  labels: Labels | undefined,
  there: Labels | undefined,
  alsoKnownAs: readonly (readonly string[])[],
): readonly (number | undefined)[] | undefined {
  if (labels === undefined || there === undefined) return undefined;
  return labels.classes.map((name, label) =>
    [name, ...(alsoKnownAs[label] ?? [])].map((known) => there.classes.indexOf(known)).find((row) => row >= 0),
  );
}

function embeddings(fresh: HostTensor, known: HostTensor, rows: readonly (number | undefined)[] | undefined): HostTensor {
  // Without names, labels are taken to mean the same.
  if (rows === undefined) return same(fresh.shape, known.shape) ? known : fresh;
  if (fresh.dtype !== 'float32' || known.dtype !== 'float32')
    throw new InternalError(`[pipelines/warm-start] embeddings are not float32: ${fresh.dtype}, ${known.dtype}. Please report this.`);
  const size = fresh.shape[1]!;
  const data = fresh.data.slice();
  rows.forEach((row, label) => {
    if (row !== undefined) data.set(known.data.subarray(row * size, (row + 1) * size), label * size);
  });
  return { ...fresh, data };
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
