import { expect, test } from 'vitest';
import { flattenTree, mapTensors, namedTensors, ones, scalar, tensorsOf, zeros } from '@langevin/tensor';

const w = ones([2]);
const b = zeros([1]);
const tree = {
  down: [
    { weight: w, rate: 0.5 },
    { weight: b, none: null },
  ],
  label: 'x',
  missing: undefined,
};

test('leaves with dotted names, in order', () => {
  const flat = flattenTree(tree);
  expect(flat.names).toEqual(['down.0.weight', 'down.0.rate', 'down.1.weight', 'down.1.none', 'label', 'missing']);
  expect(flat.leaves).toEqual([w, 0.5, b, null, 'x', undefined]);
  expect(flat.rebuild(flat.leaves)).toEqual(tree);
  expect(flattenTree(w).names).toEqual(['']);
});

test('tensors of a tree', () => {
  expect(tensorsOf(tree)).toEqual([w, b]);
  expect([...namedTensors(tree).keys()]).toEqual(['down.0.weight', 'down.1.weight']);
});

test('mapping several trees together', () => {
  const other = {
    down: [
      { weight: b, rate: 1 },
      { weight: w, none: null },
    ],
    label: 'y',
    missing: undefined,
  };
  const names: string[] = [];
  const mapped = mapTensors(
    tree,
    (x, [y], name) => {
      names.push(name);
      return y ?? x;
    },
    other as typeof tree,
  );
  expect(mapped.down[0]!.weight).toBe(b);
  expect([mapped.down[0]!.rate, mapped.label, names]).toEqual([0.5, 'x', ['down.0.weight', 'down.1.weight']]);
});

test('trees of another structure, and leaves that cannot be', () => {
  expect(() => mapTensors({ a: w }, (x) => x, { b: w } as never)).toThrow(
    '[tensor/tree] trees differ in structure: first difference at "a". Give trees with the same keys in the same order.',
  );
  expect(() => mapTensors<unknown>([w], (x) => x, [w, b])).toThrow('first difference at "1"');
  expect(() => flattenTree({ when: new Date() })).toThrow(
    '[tensor/tree] value cannot be a leaf: name=when, type=Date. Use tensors, numbers, strings, booleans, lists and plain objects.',
  );
  expect(() => flattenTree({ f: () => scalar(1) })).toThrow('name=f, type=function');
});

test('keys that are special to objects are plain names', () => {
  const odd = JSON.parse('{"__proto__": 1, "constructor": 2}') as Record<string, number>;
  const { names, rebuild } = flattenTree(odd);
  expect(names).toEqual(['__proto__', 'constructor']);
  expect(Object.keys(rebuild([3, 4]) as object)).toEqual(['__proto__', 'constructor']);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
