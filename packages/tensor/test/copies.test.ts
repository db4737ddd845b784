import { expect, test, vi } from 'vitest';
import * as here from '@langevin/tensor';

const other = await (async () => {
  vi.resetModules();
  return (await import('@langevin/tensor')) as typeof here;
})();

test('there are two copies of the package', () => {
  expect(other.Tensor).not.toBe(here.Tensor);
});

const foreign = other.ones([2, 3]);
const told = /\[tensor\/copies\] tensor comes from another copy .* tensor=float32\[2, 3\], its copy=file:.*npm ls @langevin\/tensor/;

test.each([
  ['an op', () => here.neg(foreign)],
  ['an op with an operand of its own', () => here.add(here.ones([2, 3]), foreign)],
  ['an op with a number', () => here.mul(foreign, 2)],
  ['a reduction', () => here.mean(foreign)],
  ['a list of tensors', () => here.concat([here.ones([2, 3]), foreign], 0)],
  ['a gradient', () => here.grad((x: here.Tensor) => here.sum(x))(foreign)],
  ['a tree', () => here.tensorsOf({ weight: foreign })],
])('%s names a tensor of the other', (_, use) => {
  expect(use).toThrow(told);
});

test.each([
  ['reading it', () => here.numbers(foreign)],
  ['realising it', () => here.realize([foreign])],
  ['a compiled function', () => here.compile((x: here.Tensor) => here.neg(x))(foreign)],
])('%s names a tensor of the other', async (_, use) => {
  await expect(use()).rejects.toThrow(told);
});

test('what is no tensor is named', () => {
  expect(() => here.exp(undefined as never)).toThrow(
    '[tensor/exp] operand is not a tensor: type=undefined. Make one with tensor() or scalar().',
  );
  expect(() => here.exp([1, 2] as never)).toThrow('operand is not a tensor: type=a list');
});
