import { access, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelPackage } from '@langevin/pipelines';
import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => vi.restoreAllMocks());

it.each(['where the program runs', 'where the program lies'])('finds a model that is installed %s', async (where) => {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-package-'));
  const at = join(folder, 'node_modules', '@mine', 'model-cats');
  await mkdir(at, { recursive: true });
  await writeFile(join(at, 'package.json'), '{ "name": "@mine/model-cats", "exports": { "./*": "./*" } }');
  await writeFile(join(at, 'model_index.json'), '{}');
  if (where === 'where the program runs') vi.spyOn(process, 'cwd').mockReturnValue(folder);
  else vi.spyOn(process, 'argv', 'get').mockReturnValue([process.execPath, join(folder, 'dist', 'program.js')]);
  await access(join(modelPackage('@mine/model-cats'), 'model_index.json'));
});

it.each([
  ['@mine/not-there', 'no model of that name is installed: name=@mine/not-there. Run "npm install @mine/not-there"'],
  ['../models/emoji', 'no name of a package: name="../models/emoji"'],
  ['/etc/passwd', 'no name of a package'],
  [undefined as unknown as string, 'name=undefined'],
])('refuses %s', (name, says) => {
  expect(() => modelPackage(name)).toThrow(says);
});
