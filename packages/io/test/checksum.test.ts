import { checksumOf, type HostTensor } from '@langevin/io';
import { expect, test } from 'vitest';

const bytes = (...values: readonly number[]): HostTensor => ({ dtype: 'uint8', shape: [values.length], data: Uint8Array.from(values) });
const of = (text: readonly string[], tensors: Readonly<Record<string, HostTensor>>): string =>
  checksumOf(text, new Map(Object.entries(tensors)));

test('every change of a bit, a name, a shape, a dtype or an order is another number', () => {
  const values = [1, 2, 3, 4, 5, 6, 7];
  const seen = new Set([of(['a'], { x: bytes(...values) })]);
  values.forEach((_, i) => {
    for (let bit = 0; bit < 8; bit++)
      seen.add(of(['a'], { x: bytes(...values.map((value, k) => (k === i ? value ^ (1 << bit) : value))) }));
  });
  const data = Uint8Array.from(values);
  seen.add(of(['b'], { x: bytes(...values) }));
  seen.add(of([], { x: bytes(...values) }));
  seen.add(of(['a', ''], { x: bytes(...values) }));
  seen.add(of(['a'], { y: bytes(...values) }));
  seen.add(of(['a'], { x: { dtype: 'uint8', shape: [7, 1], data } }));
  seen.add(of(['a'], { x: { dtype: 'bool', shape: [7], data } }));
  seen.add(of(['a'], { x: bytes(...values.slice(0, 4)), y: bytes(...values.slice(4)) }));
  seen.add(of(['a'], { x: bytes(...values, 0) }));
  expect(seen.size).toBe(1 + 56 + 8);
});

test('the order of tensors and where their bytes lie do not count', () => {
  const [a, b] = [bytes(1, 2, 3, 4, 5), bytes(9)];
  const shifted = { ...a, data: Uint8Array.of(0, 1, 2, 3, 4, 5).subarray(1) } as HostTensor;
  expect(of(['t'], { a, b })).toBe(of(['t'], { b, a: shifted }));
});
