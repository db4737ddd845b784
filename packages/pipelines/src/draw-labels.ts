import { counterGenerator } from '@langevin/tensor';
import type { Category } from './labels.ts';

/** Keeps these draws apart from those of the noise, whose streams start with the number of an image. */
const STREAM = 0x6c616273;

export interface DrawLabelsOptions {
  /** One for each row of the grid. */
  readonly rows: readonly Category[];
  /** Images in a row. */
  readonly columns: number;
  /** Decides which class of its category each image shows. */
  readonly seed: number;
}

/**
 * A class for each cell of a grid with one row for each category: drawn without replacement until a category's classes are used up, then
 * from the start, so that a row shows as many kinds as it can.
 *
 * @returns labels row by row, rows * columns of them
 */
export function drawLabels({ rows, columns, seed }: DrawLabelsOptions): number[] {
  return rows.flatMap(({ classes }, row) => {
    const drawn: number[] = [];
    for (let round = 0; drawn.length < columns; round++) {
      const order = counterGenerator({ seed, stream: [STREAM, row, round] }).permutation(classes.length);
      for (const i of order) drawn.push(classes[i]!);
    }
    return drawn.slice(0, columns);
  });
}
