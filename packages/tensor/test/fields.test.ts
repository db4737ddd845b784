import { describe, expect, it } from 'vitest';
import {
  flag,
  integer,
  list,
  nullable,
  number,
  oneOf,
  readFields,
  showEntry,
  withFallback,
  type FieldTable,
} from '@langevin/tensor/fields';

const TABLE = {
  steps: integer(20, { atLeast: 1, atMost: 1000 }),
  rate: number(0.5, { atLeast: 0 }),
  shape: oneOf('round', ['round', 'square']),
  on: flag(true),
  sizes: list([1, 2], integer(0, { atLeast: 0, atMost: 9 }), { atLeast: 1, atMost: 3 }),
  name: nullable(oneOf('a', ['a', 'b'])),
  depth: withFallback(nullable(integer(0)), 3),
};

function read(given: Readonly<Record<string, unknown>>, table: FieldTable = TABLE): unknown {
  return readFields(given, table, ({ key, value, expected, hint = '' }) => {
    throw new Error(`${key}=${showEntry(value)}: ${expected}. ${hint}`.trim());
  });
}

describe('a configuration from outside', () => {
  it('takes its fallbacks where entries are absent or undefined', () => {
    const values = { steps: 20, rate: 0.5, shape: 'round', on: true, sizes: [1, 2], name: null, depth: 3 };
    expect(read({})).toEqual({ values, unknownKeys: [] });
    expect(read({ steps: undefined, rate: undefined })).toEqual({ values, unknownKeys: [] });
  });

  it('keeps what is within bounds, both ends included, and names the keys it does not know', () => {
    const given = { steps: 1, rate: 1e300, shape: 'square', on: false, sizes: [9, 0, 1], name: 'b', depth: null };
    expect(read({ ...given, colour: 1 })).toEqual({ values: given, unknownKeys: ['colour'] });
    expect(read({ steps: 1000 })).toMatchObject({ values: { steps: 1000 } });
  });

  it.each([
    [{ steps: 0 }, 'steps=0: an integer in 1..1000.'],
    [{ steps: 1.5 }, 'steps=1.5: an integer in 1..1000.'],
    [{ steps: '5' }, 'steps="5": an integer in 1..1000.'],
    [{ steps: 5n }, 'steps=5: an integer in 1..1000.'],
    [{ rate: NaN }, 'rate=NaN: a number >= 0.'],
    [{ rate: Infinity }, 'rate=Infinity: a number >= 0.'],
    [{ shape: 'sqare' }, 'shape="sqare": one of round, square. Did you mean "square"?'],
    [{ on: 1 }, 'on=1: true or false.'],
    [{ on: null }, 'on=null: true or false.'],
    [{ sizes: [] }, 'sizes=[]: a list of 1 to 3 entries.'],
    [{ sizes: [1, 10] }, 'sizes=[1,10]: a list of 1 to 3 entries, each an integer in 0..9.'],
    [{ sizes: [1, , 2] }, 'sizes=[1,null,2]: a list of 1 to 3 entries, each an integer in 0..9.'],
    [{ name: 'c' }, 'name="c": one of a, b, or null. Did you mean "a"?'],
    [{ depth: {} }, 'depth={}: an integer, or null.'],
  ])('refuses %o', (given, message) => {
    expect(() => read(given)).toThrow(new Error(message));
  });

  it('looks at own properties only, and freezes what it gives', () => {
    const given = Object.create({ steps: 7 }) as Record<string, unknown>;
    const { values } = read(given) as { readonly values: { readonly steps: number; readonly sizes: readonly number[] } };
    expect(values.steps).toBe(20);
    expect(Object.isFrozen(values)).toBe(true);
  });

  it('copies lists, so that a later change of the given one changes nothing', () => {
    const sizes = [1, 2, 3];
    const { values } = read({ sizes }) as { readonly values: { readonly sizes: readonly number[] } };
    sizes[0] = 9;
    expect(values.sizes).toEqual([1, 2, 3]);
  });
});

it('a value in a message is short, whatever it is', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  let deep: unknown = 0;
  for (let i = 0; i < 20_000; i++) deep = [deep];
  expect(showEntry('x'.repeat(1e6)).length).toBeLessThanOrEqual(80);
  expect(showEntry(Array(1e6).fill(1))).toHaveLength(80);
  expect(showEntry(cycle)).toBe('an object that is not JSON');
  expect(showEntry(deep).length).toBeLessThanOrEqual(80);
  expect([showEntry(undefined), showEntry(null), showEntry(5n), showEntry(() => 1), showEntry(NaN)]).toEqual([
    'undefined',
    'null',
    '5',
    'a function',
    'NaN',
  ]);
});
