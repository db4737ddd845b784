import { expect, test } from 'vitest';
import {
  checkListeners,
  checkNumber,
  isWithin,
  logistic,
  median,
  readOptions,
  shownValue,
  UserError,
  type NumberRange,
} from '@langevin/tensor';

const RANGES: readonly [NumberRange, string][] = [
  [{}, 'a finite number'],
  [{ kind: 'integer' }, 'an integer'],
  [{ above: 0 }, 'a number > 0'],
  [{ atLeast: 0, below: 1 }, 'a number >= 0 and < 1'],
  [{ above: 0, atMost: 1 }, 'a number > 0 and <= 1'],
  [{ atLeast: 1, atMost: 4096, kind: 'integer' }, 'an integer in 1..4096'],
  [{ atLeast: 3, atMost: 3, kind: 'integer' }, '3'],
  [{ atLeast: 0, infinity: 'allowed' }, 'a number >= 0'],
];

test.each(RANGES)('%j refuses what is no number, in words', (range, words) => {
  for (const value of [NaN, '1', null, undefined, 1n, [1], {}, () => 1])
    expect(() => checkNumber('a/b', { value }, range)).toThrow(
      new UserError(`[a/b] value is out of range: value=${shownValue(value)}. Pass ${words}.`),
    );
});

test('ends belong to a range as they are named', () => {
  expect([0, 0.5, 1].map((value) => isWithin(value, { above: 0, atMost: 1 }))).toEqual([false, true, true]);
  expect([0, 0.5, 1].map((value) => isWithin(value, { atLeast: 0, below: 1 }))).toEqual([true, true, false]);
  expect([1, 1.5, 2 ** 53].map((value) => isWithin(value, { kind: 'integer' }))).toEqual([true, false, false]);
  expect([Infinity, -Infinity].map((value) => isWithin(value, {}))).toEqual([false, false]);
  expect([Infinity, -Infinity].map((value) => isWithin(value, { atLeast: 0, infinity: 'allowed' }))).toEqual([true, false]);
});

test('each value is looked at, and the wrong one named with the advice', () => {
  expect(() => checkNumber('a/b', { one: 1, two: 0, three: 0 }, { above: 0, advice: 'Pass 2.' })).toThrow(
    '[a/b] two is out of range: two=0. Pass 2.',
  );
});

test('of a long value an error shows the beginning', () => {
  expect(shownValue('x'.repeat(1e6)).length).toBeLessThan(80);
  expect(shownValue(10n ** 1000n).length).toBeLessThan(80);
  expect(shownValue('a\nb')).toBe('"a\\nb"');
});

test('median and logistic function', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 3, NaN]);
  expect([logistic(0), logistic(-1000), logistic(1000)]).toEqual([0.5, 0, 1]);
  expect(logistic(-700)).toBeCloseTo(Math.exp(-700), 320);
  expect(logistic(2) + logistic(-2)).toBeCloseTo(1, 15);
});

test('options are an object or nothing', () => {
  expect(readOptions('a/b', { one: 1 })).toEqual({ one: 1 });
  expect(readOptions('a/b', undefined)).toEqual({});
  expect(Object.keys(readOptions('a/b', { one: 1, two: undefined }))).toEqual(['one']);
  for (const given of [null, 1, 'one', [], true, () => 1, new Float32Array(1)] as never[])
    expect(() => readOptions('a/b', given)).toThrow(
      new UserError(`[a/b] options are an object: options=${shownValue(given)}. Pass { ... }, or leave them out.`),
    );
});

test('a signal is one, and a listener is a function', () => {
  expect(checkListeners('a/b', { signal: new AbortController().signal, onProgress: () => {} })).toBeUndefined();
  expect(checkListeners('a/b', { signal: undefined, onProgress: undefined })).toBeUndefined();
  for (const signal of [null, 0, 'stop', {}, new AbortController(), { aborted: false }])
    expect(() => checkListeners('a/b', { signal })).toThrow(/^\[a\/b\] signal is none: signal=.+\. Pass that of an AbortController/u);
  expect(() => checkListeners('a/b', { onProgress: 3 })).toThrow(/^\[a\/b\] onProgress is no function: onProgress=3\. Pass one/u);
});
