import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compileExample, extractExamples } from '../readme/compile.mjs';

const expectUrl = new URL('../readme/expect.mjs', import.meta.url).href;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function run(code: string): { status: number | null; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'langevin-example-'));
  folders.push(folder);
  const compiled = compileExample({ line: 1, code }, expectUrl);
  expect(compiled.faults).toEqual([]);
  const file = join(folder, 'example.mjs');
  writeFileSync(file, compiled.code);
  return spawnSync(process.execPath, [file], { encoding: 'utf8' });
}

describe('extractExamples', () => {
  it('takes ts fences with their line and leaves other languages', () => {
    const text = '# a\n\n```sh\nls\n```\n\n```ts\none();\n```\n\n```ts\ntwo();\nthree();\n```\n';
    expect(extractExamples(text)).toEqual([
      { line: 8, code: 'one();\n' },
      { line: 12, code: 'two();\nthree();\n' },
    ]);
  });
});

describe('a claim in an example', () => {
  it.each([
    ['1 + 1; // => 2'],
    ['const x = [0.5, 1]; // => [0.5, 1]'],
    ['console.log(new Float32Array([1, 2])); // => [1, 2]'],
    ['const third: number = 1 / 3; // => 0.333'],
    ["await Promise.resolve({ a: 'b' }); // => { a: 'b' }"],
    ['[\n  1,\n].map((i) => i); // => [1]'],
    ['-0 * 1 + 0; // => 0'],
  ])('holds: %s', (code) => {
    expect(run(code)).toMatchObject({ status: 0 });
  });

  it.each([
    ['1 + 1; // => 3', 'README line 1 claims 3'],
    ['const x = 0.25; // => 0.3333', 'claims 0.3333'],
    ['0.4; // => 0', 'claims 0'],
    ['const a = 1;\nconsole.log([a, 2]); // => [1]', 'README line 2 claims [1]'],
    ['"3"; // => 3', 'claims 3'],
  ])('fails: %s', (code, message) => {
    const done = run(code);
    expect(done.status).toBe(1);
    expect(done.stderr).toContain(message);
  });

  it('is refused where it would never be checked', () => {
    expect(compileExample({ line: 10, code: 'if (true) {\n  f(); // => 1\n}\n' }, expectUrl).faults).toEqual([expect.stringContaining('line 11: "// =>"')]);
    expect(compileExample({ line: 1, code: 'const = 3;' }, expectUrl).faults).not.toEqual([]);
  });
});
