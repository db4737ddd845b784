import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJson, parsePythonJson } from '@langevin/io';
import { readPythonJson } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { expect, test } from 'vitest';

const read = (text: string): unknown => parsePythonJson(text, '[test]');

test('numbers that Python writes and JSON lacks are read, by themselves only', () => {
  expect(read('{"a": -Infinity, "b":[NaN,Infinity, 1], "c": {"d": NaN}}')).toEqual({
    a: -Infinity,
    b: [Number.NaN, Infinity, 1],
    c: { d: Number.NaN },
  });
  expect(read('NaN')).toBeNaN();
  expect(read('{"NaN": "Infinity", "b": "a \\" NaN", "c": "-Infinity,"}')).toEqual({ NaN: 'Infinity', b: 'a " NaN', c: '-Infinity,' });
  // The text that stands for NaN on the way is one that the file does not hold.
  expect(read('["NaN", "NaN_", NaN]')).toEqual(['NaN', 'NaN_', Number.NaN]);
  expect(Object.keys(read('{"__proto__": NaN}') as object)).toEqual(['__proto__']);
});

test('everything else is as strict as JSON', () => {
  for (const text of [
    '{"a": nan}',
    '[1Infinity]',
    '[--Infinity]',
    '[+Infinity]',
    '[-NaN]',
    '[Infinity1]',
    '{a: NaN}',
    '[NaN,]',
    '["NaN]',
    '',
  ]) {
    expect(() => read(text), text).toThrow(UserError);
  }
  expect(() => read('{"a": NaN, "a": 1}')).toThrow('names the key "a" twice');
  expect(() => parseJson('[NaN]', '[test]')).toThrow('is not valid JSON');
  // Deeper than a program can follow: an error, and no crash.
  const deep = `${'['.repeat(200_000)}NaN${']'.repeat(200_000)}`;
  expect(() => read(deep)).toThrow(UserError);
});

test('a file of diffusers', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'langevin-json-')), 'scheduler_config.json');
  writeFileSync(path, '{\n  "_class_name": "DPMSolverMultistepScheduler",\n  "lambda_min_clipped": -Infinity\n}\n');
  expect(await readPythonJson(path)).toEqual({ _class_name: 'DPMSolverMultistepScheduler', lambda_min_clipped: -Infinity });
});
