import { conformanceRows } from '@langevin/tensor/testing';

const names = [...new Map(conformanceRows.toReversed().map(({ op, name }) => [op, name])).values()];

/** One row of each op, for where every row takes seconds, or only the way to the engine is new. */
export const firstRows: RegExp = new RegExp(`^(${names.map((name) => name.replace(/[^\w :]/g, '.')).join('|')})$`);
