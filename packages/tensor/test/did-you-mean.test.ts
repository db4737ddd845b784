import { didYouMean } from '@langevin/tensor';
import { expect, test } from 'vitest';

test('the nearest known name is suggested, whatever its case', () => {
  expect(didYouMean('huen', ['euler', 'heun'])).toBe(' Did you mean "heun"?');
  expect(didYouMean('KARAS', ['exponential', 'karras'])).toBe(' Did you mean "karras"?');
});

test('nothing is suggested for what is not near anything, and long names cost nothing', () => {
  expect(didYouMean('banana', ['euler', 'heun'])).toBe('');
  expect(didYouMean('x'.repeat(1e6), ['euler'])).toBe('');
});
