import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../test.mjs', import.meta.url));
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Runs the stages with tools that only say how they were called, or fail. */
function stages(args: readonly string[], { failing = '' } = {}): { status: number | null; called: string[]; output: string } {
  const bin = mkdtempSync(join(tmpdir(), 'langevin-stages-'));
  folders.push(bin);
  for (const tool of ['turbo', 'vitest']) {
    writeFileSync(join(bin, tool), `#!/bin/sh\necho "called ${tool} $*"\n[ ${tool} != "${failing}" ]\n`);
    chmodSync(join(bin, tool), 0o755);
  }
  const done = spawnSync(process.execPath, [SCRIPT, ...args], {
    env: { ...process.env, PATH: [bin, process.env['PATH']].join(delimiter) },
    encoding: 'utf8',
  });
  const output = done.stdout + done.stderr;
  return {
    status: done.status,
    output,
    called: output
      .split('\n')
      .filter((line) => line.startsWith('called '))
      .map((line) => line.replace(/ --.*/u, '')),
  };
}

describe.skipIf(process.platform === 'win32')('npm test', () => {
  it('gives stages of turbo that follow each other to one run of it', () => {
    const { status, called, output } = stages(['lint', 'types', 'build', 'knip', 'unit']);
    expect(called).toEqual([
      'called turbo run //#format:check //#lint:code //#typecheck:code typecheck build //#knip',
      'called vitest run',
    ]);
    expect(output).toMatch(/All stages passed: lint, types, build, knip [\d.]+ s, unit [\d.]+ s\./u);
    expect(status).toBe(0);
  });

  it('runs the stages named, the last with arguments of its own', () => {
    expect(stages(['types', 'unit', '--', 'packages/io']).called).toEqual([
      'called turbo run //#typecheck:code typecheck',
      'called vitest run',
    ]);
    expect(stages(['unit', '--', 'packages/io'], { failing: 'vitest' }).output).toMatch(/called vitest run .* packages\/io\n/u);
  });

  it('ends with the first that fails, saying how to run it alone', () => {
    const { status, called, output } = stages(['types', 'build', 'unit'], { failing: 'turbo' });
    expect({ status, called: called.length }).toEqual({ status: 1, called: 1 });
    expect(output).toContain('Run it alone: npm test -- types build');
  });

  it('knows its stages', () => {
    expect(stages(['readme'])).toMatchObject({
      status: 2,
      output: expect.stringContaining(
        'unknown stage: stage=readme. Known: skeleton, lint, types, build, knip, packages, examples, unit.',
      ) as string,
    });
  });
});
