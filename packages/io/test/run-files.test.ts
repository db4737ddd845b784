import { spawn, spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { lockFolder, makeFolder, thinned, writeRunPage } from '@langevin/io/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

describe('a folder for results', () => {
  it('is made with those above it, and left as it is when it exists', async () => {
    const folder = join(await temporaryFolder(), 'a', 'b');
    await makeFolder(folder);
    await writeFile(join(folder, 'x'), '');
    await makeFolder(folder);
    expect(await readdir(folder)).toEqual(['x']);
  });

  it.each([
    ['', '[io/folder] path of the folder is not one: folder=""'],
    [' ', '[io/folder] path of the folder is not one: folder=" "'],
    ['a\0b', '[io/folder] path of the folder is not one'],
    ['/dev/null', 'code=EEXIST. A part of the path is a file, not a folder.'],
    ['/dev/null/a/b', 'code=ENOTDIR. A part of the path is a file, not a folder.'],
    [`/tmp/${'x'.repeat(300)}`, 'code=ENAMETOOLONG. The name is too long'],
  ])('%j is refused', async (folder, message) => {
    await expect(makeFolder(folder)).rejects.toThrow(message);
  });

  it.runIf(process.platform === 'linux')('where nobody can make one is refused', async () => {
    await expect(makeFolder('/proc/a')).rejects.toThrow('[io/folder] folder cannot be used: folder="/proc/a", code=ENOENT.');
  });
});

describe('the lock of a folder', () => {
  const locks = async (folder: string): Promise<readonly string[]> => (await readdir(folder)).filter((name) => name.startsWith('.lock'));

  it('lets one in at a time, and is gone when it is released', async () => {
    const folder = await temporaryFolder();
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(
      `[io/lock] folder is in use by another process: folder="${folder}", pid=${process.pid}. Wait for it, stop it, or choose another `
        + 'folder.',
    );
    await lock.release();
    await (await lockFolder(folder)).release();
    expect(await locks(folder)).toEqual([]);
  });

  it('of many that come at once lets one in', async () => {
    const folder = await temporaryFolder();
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is that of a living process, not of one that ended or of another that has its pid now', async () => {
    const folder = await temporaryFolder();
    const child = spawn('sleep', ['60']);
    onTestFinished(() => void child.kill('SIGKILL'));
    const path = join(folder, '.lock-1');
    const { processStart } = await import('../src/node/runs/process-start.ts');
    const holder = { pid: child.pid!, host: hostname(), start: await processStart(child.pid!) };
    await writeFile(path, JSON.stringify(holder));
    await expect(lockFolder(folder)).rejects.toThrow(`in use by another process: folder="${folder}", pid=${child.pid}.`);

    // A process that began at another time is another process, where the system says when one began.
    if (holder.start !== '') {
      await writeFile(path, JSON.stringify({ ...holder, start: 'long ago' }));
      await (await lockFolder(folder)).release();
    }
    await writeFile(path, JSON.stringify(holder));
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGKILL');
    await ended;
    const lock = await lockFolder(folder);
    expect(await locks(folder)).toEqual(['.lock-2']);
    expect(JSON.parse(await readFile(join(folder, '.lock-2'), 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  it('that a killed process left empty is taken over', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, '.lock-7'), '');
    await (await lockFolder(folder)).release();
    expect(await locks(folder)).toEqual([]);
  });

  it('of another machine cannot be asked: it holds, and the message says what to remove', async () => {
    const folder = await temporaryFolder();
    const pid = spawnSync('true').pid;
    await writeFile(join(folder, '.lock-1'), JSON.stringify({ pid, host: 'elsewhere', start: '' }));
    await expect(lockFolder(folder)).rejects.toThrow(
      `pid=${pid}, host=elsewhere. Should it not run any more, remove ${join(folder, '.lock-1')}; or choose another folder.`,
    );
  });
});

describe("a run's page", () => {
  it('shows what it is given, escaped, in one file', async () => {
    const path = join(await temporaryFolder(), 'page.html');
    const hostile = '</script><script>alert(1)</script>';
    await writeRunPage(path, {
      name: hostile,
      kind: 'training',
      state: 'done',
      figures: [['step', hostile]],
      pictures: { title: hostile, none: hostile, pixels: 'squares', items: [{ path: `a/${hostile}`, caption: hostile, alt: hostile }] },
      curves: [{ title: hostile, steps: [1], lines: [{ label: hostile, colour: 'red', values: [null] }] }],
    });
    const page = await readFile(path, 'utf8');
    expect(page).not.toContain('<script>alert');
    expect(page.match(/<script>/g)).toHaveLength(2);
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it('has no more points than a screen can show, the last one among them', () => {
    const log = Array.from({ length: 12_345 }, (_, i) => ({ step: i + 1 }));
    const shown = thinned(log);
    expect(shown.length).toBeLessThanOrEqual(2001);
    expect(shown.at(-1)).toEqual({ step: 12_345 });
    expect(thinned([])).toEqual([]);
  });
});
