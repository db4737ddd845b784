import { drawLabels, labelChoices, type Category, type DiffusionModel } from '@langevin/pipelines';
import { UserError } from '@langevin/tensor';
import { byName } from './by-name.ts';

export interface LayoutOptions {
  readonly classes?: readonly string[];
  readonly rows?: number;
  readonly columns: number;
  readonly seed: number;
}

/** Which class each cell of the grid shows. */
export interface GridLayout {
  readonly columns: number;
  /** A label for each cell; for models without classes, how many cells there are. */
  readonly labels: readonly number[] | number;
  readonly rowLabels?: readonly string[];
}

/** Rows of a model without categories, when nobody says how many. */
const DEFAULT_ROWS = 8;

/** @throws UserError when a class is unknown, or the model has no classes to choose from */
export function layOut({ labels }: DiffusionModel, options: LayoutOptions): GridLayout {
  const { classes, columns, seed } = options;
  if (labels === undefined) {
    if (classes !== undefined)
      throw new UserError(`[cli/sample] model knows no classes: --classes=${classes.join(',')}. Leave --classes out.`);
    return { columns, labels: (options.rows ?? DEFAULT_ROWS) * columns };
  }
  const choices = labelChoices(labels);
  const entries = Object.fromEntries(choices.map((choice) => [choice.name, choice]));
  const chosen: readonly Category[] =
    classes?.map((name) => byName(name, entries, { part: 'sample', kind: 'class or category' }))
    ?? (labels.categories.length > 0 ? labels.categories : choices.slice(0, DEFAULT_ROWS));
  // More rows than names: from the start again.
  const rows = Array.from({ length: options.rows ?? chosen.length }, (_, row) => chosen[row % chosen.length]!);
  return { columns, labels: drawLabels({ rows, columns, seed }), rowLabels: rows.map(({ name }) => name) };
}
