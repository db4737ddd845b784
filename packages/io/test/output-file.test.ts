import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkOutputFile, prepareOutputFile } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'langevin-output-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
});

test('a path whose folders are missing is checked without a trace, then prepared', async () => {
  const path = join(root, 'new', 'folder', 'scene.ply');
  await checkOutputFile(path);
  expect(await readdir(root)).toEqual([]);
  await prepareOutputFile(path);
  expect(await readdir(join(root, 'new', 'folder'))).toEqual([]);
});

test('a file that is there may be written again', async () => {
  await writeFile(join(root, 'scene.ply'), 'x');
  await prepareOutputFile(join(root, 'scene.ply'));
  expect(await readdir(root)).toEqual(['scene.ply']);
});

test.each(['checkOutputFile', 'prepareOutputFile'] as const)('%s refuses what cannot be a file', async (name) => {
  const check = { checkOutputFile, prepareOutputFile }[name];
  await mkdir(join(root, 'folder.ply'));
  await writeFile(join(root, 'file'), 'x');
  const refused = async (path: string): Promise<string> => {
    const error: unknown = await check(path).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  };
  expect(await refused(join(root, 'folder.ply'))).toContain('[io/write] path is that of a folder: path=');
  expect(await refused(`${join(root, 'new')}/`)).toContain('path is that of a folder');
  expect(await refused('')).toBe('[io/write] path of the file is not one: path="". Give the path of a file.');
  expect(await refused('a\0b')).toContain('path of the file is not one');
  expect(await refused(join(root, 'file', 'scene.ply'))).toContain('[io/folder] a part of the path is a file: folder=');
  expect(await refused(join(root, 'file', 'deep', 'scene.ply'))).toMatch(/\[io\/folder\] folder cannot be used: .* code=ENOTDIR/);
  // Where nothing can be made, though the permission bits say otherwise to a superuser: Node's own `mkdir -p` never returns there.
  if (process.platform === 'linux' && name === 'prepareOutputFile')
    expect(await refused('/proc/langevin/scene.ply')).toContain('[io/folder] folder cannot be used: folder=');
  expect(await readdir(root)).toEqual(['file', 'folder.ply']);
});
