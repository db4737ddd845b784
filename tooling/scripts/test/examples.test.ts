import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { compileExample, extractExamples } from '../examples/compile.mjs';
import { extractDocExamples } from '../examples/docstrings.mjs';
import { runAlone, runTogether } from '../examples/run.mjs';
import { preludeOf } from '../examples/scope.mjs';
import { exampleHost, typeFaults } from '../examples/types.mjs';

const expectUrl = new URL('../examples/expect.mjs', import.meta.url).href;
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
  it('says why an example cannot run everywhere, where its first line does', () => {
    const fence = (code: string): string => ['```ts', code, '```', ''].join('\n');
    const reasons = ['// not run: needs a browser\nf();', 'f();\n// not run: too late', 'f();'].map(
      (code) => extractExamples(fence(code))[0],
    );
    expect(reasons.map((example) => (example as { readonly notRun?: string }).notRun)).toEqual(['needs a browser', undefined, undefined]);
  });

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
    ['Float64Array.of(1, 2); // => Float64Array [1, 2]'],
  ])('holds: %s', (code) => {
    expect(run(code)).toMatchObject({ status: 0 });
  });

  it.each([
    ['1 + 1; // => 3', 'line 1 claims 3'],
    ['const x = 0.25; // => 0.3333', 'claims 0.3333'],
    ['0.4; // => 0', 'claims 0'],
    ['const a = 1;\nconsole.log([a, 2]); // => [1]', 'line 2 claims [1]'],
    ['"3"; // => 3', 'claims 3'],
    ['Float32Array.of(1); // => Float64Array [1]', 'It is of another kind: Float32Array'],
  ])('fails: %s', (code, message) => {
    const done = run(code);
    expect(done.status).toBe(1);
    expect(done.stderr).toContain(message);
  });

  it('is refused where it would never be checked', () => {
    expect(compileExample({ line: 10, code: 'if (true) {\n  f(); // => 1\n}\n' }, expectUrl).faults).toEqual([
      expect.stringContaining('line 11: "// =>"'),
    ]);
    expect(compileExample({ line: 1, code: 'const = 3;' }, expectUrl).faults).not.toEqual([]);
  });
});

describe('extractDocExamples', () => {
  it('takes the code behind each tag, with its line, until the next tag or the end', () => {
    const source = [
      "const pattern = '/** @example no comment */';",
      '/**',
      ' * Twice a number, `@example` by name.',
      ' *',
      ' * @example',
      ' * const four = twice(2); // => 4',
      ' *   indented({ at: 1 });',
      ' * @throws never',
      ' * @example',
      ' * ```ts',
      ' * fenced();',
      ' * ```',
      ' */',
      'export const twice = (x: number): number => 2 * x;',
      'export interface Bag {',
      '  /** @example size(1); */',
      '  readonly size: (n: number) => void;',
      '}',
    ].join('\n');
    expect(extractDocExamples('a.ts', source)).toEqual({
      faults: [],
      examples: [
        { line: 6, code: 'const four = twice(2); // => 4\n  indented({ at: 1 });\n' },
        { line: 11, code: 'fenced();\n' },
        { line: 16, code: 'size(1);\n' },
      ],
    });
  });

  it('reads why an example cannot run everywhere', () => {
    const source = '/**\n * @example\n * // not run: needs a browser\n * open();\n */\nexport function open() {}\n';
    expect(extractDocExamples('a.ts', source).examples).toEqual([
      { line: 3, code: '// not run: needs a browser\nopen();\n', notRun: 'needs a browser' },
    ]);
  });

  it('names tags that nobody would run', () => {
    expect(extractDocExamples('a.ts', '/**\n * @example\n */\nexport const a = 1;\n').faults).toEqual([
      expect.stringContaining('line 2: @example holds no code'),
    ]);
    expect(extractDocExamples('a.ts', 'export const a = 1;\n/**\n * @example\n * lost();\n */\n').faults).toEqual([]);
    expect(extractDocExamples('a.ts', 'export const a = [\n  1,\n  /**\n   * @example\n   * lost();\n   */\n];\n').faults).toEqual([
      expect.stringContaining('1 @example tags are written and 0 belong'),
    ]);
  });
});

describe('what an example needs not import', () => {
  const modules = [
    {
      specifier: 'own',
      names: new Map([
        ['conv', true],
        ['Params', false],
      ]),
    },
    {
      specifier: 'base',
      names: new Map([
        ['conv', true],
        ['ones', true],
        ['data', true],
      ]),
    },
  ];

  it('comes from the first module that has it, types as types', () => {
    expect(preludeOf('const p: Params = conv(ones([2]));', modules)).toBe(
      'import { conv, type Params } from "own"; import { ones } from "base"; ',
    );
  });

  it.each([
    ['what it declares', 'const ones = 1; const [conv] = [ones]; const { a: data } = { a: 1 };'],
    ['what it imports', "import { ones, conv as data } from 'elsewhere'; import * as conv from 'x';"],
    ['names of properties', 'x.ones; ({ data: 1 }); const { conv: c } = y; interface Z { data: 1 }'],
  ])('leaves alone %s', (_what, code) => {
    expect(preludeOf(code, modules)).toBe('');
  });
});

describe('running and type-checking', () => {
  // The engine's place is taken by modules that do nothing.
  function folder(examples: readonly string[]) {
    const dir = mkdtempSync(join(tmpdir(), 'langevin-example-'));
    folders.push(dir);
    const write = (name: string, code: string): string => {
      writeFileSync(join(dir, name), code);
      return pathToFileURL(join(dir, name)).href;
    };
    return {
      options: {
        tensor: write('tensor.mjs', 'export const setDefaultEngine = () => {};'),
        testing: write('testing.mjs', 'export const referenceEngine = () => {};'),
        timeoutMs: 2000,
        processes: 1,
      },
      examples: examples.map((code, id) => {
        mkdirSync(join(dir, String(id)));
        return { id, url: write(`example-${id}.mjs`, code), cwd: join(dir, String(id)) };
      }),
    };
  }

  it('goes on after an example that throws, ends the process, or never ends', async () => {
    const { examples, options } = folder([
      "import { writeFileSync } from 'node:fs'; writeFileSync('mine.txt', ''); console.log('noise');",
      "throw new Error('one is wrong');",
      'process.exit(3);',
      "void Promise.reject(new Error('nobody waited'));",
      'setInterval(() => {}, 1e6); await new Promise(() => {});',
      "import { existsSync } from 'node:fs'; if (existsSync('mine.txt')) throw new Error('not my folder');",
    ]);
    const faults = await runTogether(examples, options);
    expect([...faults.keys()].sort()).toEqual([1, 2, 3, 4]);
    expect(faults.get(1)).toContain('one is wrong');
    expect(faults.get(2)).toContain('exit=3');
    expect(faults.get(3)).toContain('nobody waited');
    expect(faults.get(4)).toContain('not finished after 2000 ms');
  });

  it('runs one alone and gives what it said when it fails', async () => {
    const {
      examples: [good, bad],
    } = folder(['1;', "throw new Error('alone');"]);
    const alone = ({ url, cwd }: { url: string; cwd: string }): Promise<string | undefined> =>
      runAlone(new URL(url).pathname, { cwd, timeoutMs: 10_000 });
    expect(await alone(good!)).toBeUndefined();
    expect(await alone(bad!)).toContain('alone');
  });

  it('finds what the compiler finds, in the line where it is', () => {
    const host = exampleHost(tmpdir());
    const path = join(tmpdir(), 'langevin-never-written.ts');
    host.texts.set(path, 'export {};const a = 1;\nconst b: string = a;\n');
    expect(typeFaults(host.program([path]), [path])).toEqual([
      { path, line: 2, text: "Type 'number' is not assignable to type 'string'." },
    ]);
  });
});
