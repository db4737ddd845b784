import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AtomicFileSystem } from './write-file-atomic.ts';
import { removeStaleTemporaries, writeAtomicWith, writeFileAtomic } from './write-file-atomic.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'langevin-io-'));
  path = join(folder, 'state.json');
});
afterEach(() => fs.rm(folder, { recursive: true }));

/** A real disk on which one call fails, after `bytes` bytes where it is a write. Records the order of calls. */
function failingDisk(
  code: string,
  at: 'write' | 'sync' | 'close' | 'rename' | 'sync-folder' | 'none',
  bytes = 0,
): AtomicFileSystem & { calls: string[] } {
  const calls: string[] = [];
  const fail = (call: string): void => {
    calls.push(call);
    if (call === at) throw Object.assign(new Error(`${code}: ${call}`), { code, syscall: call });
  };
  let room = bytes;
  return {
    calls,
    stat: fs.stat,
    realpath: fs.realpath,
    rm: fs.rm,
    rename: async (from, to) => {
      fail('rename');
      await fs.rename(from, to);
    },
    open: async (name, flags, mode) => {
      const handle = await fs.open(name, flags, mode);
      const suffix = flags === 'r' ? '-folder' : '';
      return new Proxy(handle, {
        get: (target, key) => {
          if (key === 'sync') return async () => (fail(`sync${suffix}`), target.sync());
          if (key === 'close') return async () => (await target.close(), fail(`close${suffix}`));
          if (key !== 'write') return Reflect.get(target, key) as unknown;
          // As a real disk does, write what fits first; only the next call fails.
          return async (data: Uint8Array, from: number, length: number) => {
            const fits = at === 'write' ? Math.min(room, length) : length;
            if (fits === 0) fail('write');
            room -= fits;
            return target.write(data, from, fits);
          };
        },
      });
    },
  };
}

describe('a disk that fails', () => {
  test.each(['write', 'sync', 'close', 'rename'] as const)('at %s leaves the old file and no temporary one', async (at) => {
    await fs.writeFile(path, 'old');
    const error: unknown = await writeAtomicWith(failingDisk('ENOSPC', at, 5), path, 'new content').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toBe(
      `[io/write] writing ${JSON.stringify(path)} failed: code=ENOSPC. The disk is full: free some space. What was there before is `
        + 'untouched.',
    );
    expect(await fs.readFile(path, 'utf8')).toBe('old');
    expect(await fs.readdir(folder)).toEqual(['state.json']);
  });

  test('while pieces are streamed leaves the old file', async () => {
    await fs.writeFile(path, 'old');
    async function* content(): AsyncIterable<Uint8Array> {
      for (let i = 0; i < 100; i++) yield Promise.resolve(new Uint8Array(1000));
    }
    await expect(writeAtomicWith(failingDisk('EDQUOT', 'write', 12_345), path, content())).rejects.toThrow(/quota/);
    expect(await fs.readFile(path, 'utf8')).toBe('old');
    expect(await fs.readdir(folder)).toEqual(['state.json']);
  });

  test('where there was no file leaves none', async () => {
    await expect(writeAtomicWith(failingDisk('ENOSPC', 'write'), path, 'new')).rejects.toThrow(UserError);
    expect(await fs.readdir(folder)).toEqual([]);
  });
});

test('a folder that cannot be flushed is told apart from a file that was not written', async () => {
  await expect(writeAtomicWith(failingDisk('EIO', 'sync-folder'), path, 'new')).rejects.toThrow(
    /is written, but its folder could not be flushed: code=EIO/,
  );
  expect(await fs.readFile(path, 'utf8')).toBe('new');
  // Some network file systems have no such call; that is no failure.
  await writeAtomicWith(failingDisk('EINVAL', 'sync-folder'), path, 'newer');
  expect(await fs.readFile(path, 'utf8')).toBe('newer');
});

test('content is flushed before the rename, and the rename before success', async () => {
  const disk = failingDisk('', 'none');
  await writeAtomicWith(disk, path, 'x');
  expect(disk.calls).toEqual(['sync', 'close', 'rename', 'sync-folder', 'close-folder']);
});

test('an error of the content passes through and leaves the old file', async () => {
  await fs.writeFile(path, 'old');
  const broken = new Error('broken');
  function* content(): Iterable<Uint8Array> {
    yield Uint8Array.of(1);
    throw broken;
  }
  await expect(writeFileAtomic(path, content())).rejects.toBe(broken);
  expect(await fs.readFile(path, 'utf8')).toBe('old');
  expect(await fs.readdir(folder)).toEqual(['state.json']);
});

test('text, bytes and pieces are written whole', async () => {
  await writeFileAtomic(path, 'tëxt');
  expect(await fs.readFile(path, 'utf8')).toBe('tëxt');
  await writeFileAtomic(path, Uint8Array.of(0, 255));
  expect([...(await fs.readFile(path))]).toEqual([0, 255]);
  await writeFileAtomic(path, [Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)]);
  expect([...(await fs.readFile(path))]).toEqual([1, 2, 3]);
  await writeFileAtomic(path, '');
  expect(await fs.readFile(path, 'utf8')).toBe('');
});

test('permissions stay, and a link keeps pointing at the file that is replaced', async () => {
  const link = join(folder, 'link');
  await fs.writeFile(path, 'old', { mode: 0o600 });
  await fs.symlink(path, link);
  await writeFileAtomic(link, 'new');
  expect((await fs.lstat(link)).isSymbolicLink()).toBe(true);
  expect(await fs.readFile(path, 'utf8')).toBe('new');
  expect((await fs.stat(path)).mode & 0o777).toBe(0o600);
});

test('a missing folder is named with what to do', async () => {
  await expect(writeFileAtomic(join(folder, 'no', 'x'), '')).rejects.toThrow(/code=ENOENT\. Create the folder first\./);
});

test('many writers at once leave one whole file', async () => {
  const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
  await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
  expect(contents).toContain(await fs.readFile(path, 'utf8'));
  expect(await fs.readdir(folder)).toEqual(['state.json']);
});

test('what a killed process left is removed, and nothing else', async () => {
  const stale = '.langevin-00000000-0000-4000-8000-000000000000.tmp';
  for (const name of [stale, '.langevin-notes.tmp', 'x.tmp']) await fs.writeFile(join(folder, name), '');
  expect(await removeStaleTemporaries(folder)).toEqual([stale]);
  expect((await fs.readdir(folder)).sort()).toEqual(['.langevin-notes.tmp', 'x.tmp']);
});

describe('a process that ends while it writes', () => {
  test('takes its temporary file along', async () => {
    let exit: (() => void) | undefined;
    const content = async function* (): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1);
      expect((await fs.readdir(folder)).filter((name) => name.endsWith('.tmp'))).toHaveLength(1);
      // What process.exit() calls, after the first write has begun to listen.
      exit = process.listeners('exit').at(-1) as () => void;
      exit();
      expect(await fs.readdir(folder)).toEqual([]);
    };
    await expect(writeFileAtomic(path, content())).rejects.toThrow('code=ENOENT');
    // Nothing is left to remove, and nothing else is.
    await writeFileAtomic(path, 'x');
    exit!();
    expect(await fs.readdir(folder)).toEqual(['state.json']);
  });
});
