import { conformanceRows } from '@langevin/tensor/testing';

/** One row of each op, for where every row takes seconds, or only the way to the engine is new. */
export const firstRows: RegExp = new RegExp(
  `^(${[...new Map(conformanceRows.toReversed().map(({ op, name }) => [op, name])).values()].map((name) => name.replace(/[^\w :]/g, '.')).join('|')})$`,
);
