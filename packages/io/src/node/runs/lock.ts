import { open, readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '@langevin/tensor';
import { cannotUseFolder } from '../disk-error.ts';
import { processStart } from './process-start.ts';

/** Numbered, so that a lock is only ever created, never replaced: of two processes that find a dead one, one gets the next number. */
const NAME = /^\.lock-(\d{1,15})$/;
/** A lock is written in one go right after it is created; one that is still empty after this is of a writer that was killed there. */
const UNWRITTEN_MS = 500;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When that process began, in the words of the operating system: another process may get the same pid. */
  readonly start: string;
}

const POLL_MS = 100;
/** Errors that time may cure. */
const heldHere = new WeakSet<Error>();

/** A folder that no other process may take. */
export interface FolderLock {
  readonly release: () => Promise<void>;
}

/** Of this process: its own pid says nothing about which of its runs holds a lock. */
const held = new Set<string>();

/**
 * Take a folder for one process. A lock whose process is dead, `kill -9` included, is taken over.
 *
 * The file names its process by pid and start time. A heartbeat, as npm's lock libraries have it, would be lost in a training step that
 * keeps the event loop busy for longer than the beat, and would make the next start after a `kill -9` wait.
 *
 * @throws {UserError} when a living process holds the folder, or one of another machine, which cannot be asked
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  for (;;) {
    const locks = await list(folder);
    for (const { path } of locks) {
      const holder = await read(path);
      if (holder !== undefined && (await isAlive(holder, path))) throw inUse(folder, { path, holder });
    }
    const path = join(folder, `.lock-${(locks.at(-1)?.number ?? 0) + 1}`);
    if (!(await create(folder, path))) continue;
    held.add(path);
    for (const old of locks) await rm(old.path, { force: true });
    return {
      release: async () => {
        held.delete(path);
        await rm(path, { force: true });
      },
    };
  }
}

/**
 * Take a folder as soon as no other process of this machine holds it.
 *
 * @throws {UserError} when a process of another machine holds it, or `signal` ends the wait
 */
export async function lockFolderWhenFree(folder: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<FolderLock> {
  for (;;) {
    try {
      return await lockFolder(folder);
    } catch (error) {
      if (!heldHere.has(error as Error)) throw error;
    }
    await sleep(POLL_MS, undefined, signal && { signal }).catch(() => {
      throw new UserError(`[io/lock] stopped while another process held the folder: folder=${JSON.stringify(folder)}. Run it again.`);
    });
  }
}

async function list(folder: string): Promise<readonly { readonly number: number; readonly path: string }[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw cannotUseFolder(folder, cause);
  });
  return names
    .flatMap((name) => {
      const match = NAME.exec(name);
      return match ? [{ number: Number(match[1]), path: join(folder, name) }] : [];
    })
    .sort((a, b) => a.number - b.number);
}

/** Whether this process was the one that created it. */
async function create(folder: string, path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(JSON.stringify({ pid: process.pid, host: hostname(), start: (await processStart(process.pid)) ?? '' }));
    } finally {
      await file.close();
    }
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cannotUseFolder(folder, cause);
  }
}

/** Nothing when the lock is gone or nobody finished writing it. */
async function read(path: string): Promise<Holder | undefined> {
  for (let waited = 0; ; waited += 50) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const { pid, host, start } = JSON.parse(text) as Partial<Holder>;
      if (Number.isSafeInteger(pid) && pid! > 0 && typeof host === 'string' && typeof start === 'string') return { pid: pid!, host, start };
    } catch {
      // Half-written, for now.
    }
    if (waited >= UNWRITTEN_MS) return undefined;
    await sleep(50);
  }
}

async function isAlive({ pid, host, start }: Holder, path: string): Promise<boolean> {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(path);
  const now = await processStart(pid);
  // Where the system does not tell when a process began, a living process of that pid is taken for the holder.
  return now !== undefined && (now === '' || start === '' || now === start);
}

function inUse(folder: string, { path, holder }: { readonly path: string; readonly holder: Holder }): UserError {
  const here = holder.host === hostname();
  const error = new UserError(
    `[io/lock] folder is in use by another process: folder=${JSON.stringify(folder)}, pid=${holder.pid}`
      + `${here ? '' : `, host=${holder.host}`}. ${
        here ? 'Wait for it, stop it, or choose another folder.' : `Should it not run any more, remove ${path}; or choose another folder.`
      }`,
  );
  if (here) heldHere.add(error);
  return error;
}
