import { fromDiffusersConfig, schedulerClassNames } from '@langevin/samplers/compat';
import { expect, test } from 'vitest';
import { readGolden } from './support/compat-cases.ts';
import { goldenParts } from './support/compat-coverage.ts';

/** Keys of configs that no golden case changes, and why. */
const UNCHANGED: Readonly<Record<string, readonly string[]>> = {};

test('every class has golden cases, and every key of its config is changed in one', () => {
  const cases = goldenParts.flatMap((part) => readGolden(part).cases);
  const missing = schedulerClassNames.flatMap((name) => {
    const own = cases.filter((golden) => golden.class === name);
    if (own.length === 0) return [name];
    const changed = new Set(own.flatMap(({ config }) => Object.keys(config)));
    return Object.keys(fromDiffusersConfig({ _class_name: name }).config).filter((key) => !changed.has(key) && !(UNCHANGED[name] ?? []).includes(key)).map((key) => `${name}.${key}`);
  });
  expect(missing).toEqual([]);
});
