import { randomUUID } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { shownValue, UserError } from '@langevin/tensor';
import { checkPath } from '../given.ts';
import { isDiskError, remedyOf } from './disk-error.ts';

/** What to write: whole, or in pieces that are produced while writing. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The calls that writing needs, so that a test can stand in a disk that fails. */
export type AtomicFileSystem = Pick<typeof fs, 'open' | 'rename' | 'rm' | 'stat' | 'realpath'>;

// One system call never gets more than this; Linux itself stops at 2 GiB.
const PIECE_BYTES = 64 * 1024 * 1024;
const TEMPORARY_NAME = /^\.langevin-[0-9a-f-]{36}\.tmp$/;

/**
 * Write a file so that at every moment, through crashes and power cuts, its path holds either the old content or all
 * of the new: a temporary file in the same folder is written, flushed to the disk (fsync) and renamed over the path.
 * A symbolic link keeps pointing where it did; an existing file keeps its permissions.
 *
 * @throws {UserError} when the disk is full, the folder is missing or not writable; the old file is untouched and the
 *   temporary file is removed. An error thrown by the content itself passes through, with the same promise.
 * @example
 * import { writeFileAtomic } from '@langevin/io/node';
 * await writeFileAtomic('state.json', JSON.stringify({ step: 10 }));
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  checkPath(path, '[io/write]');
  checkContent(content);
  await writeAtomicWith(fs, path, content);
}

/**
 * {@link writeFileAtomic} without waiting for the disk: after a power cut the file may be damaged, after the end of a process it is whole
 * or not there. For what is cheap to make anew and has a checksum.
 */
export async function writeFileUnflushed(path: string, content: FileContent): Promise<void> {
  const open: AtomicFileSystem['open'] = async (...of) => {
    const file = await fs.open(...of);
    file.sync = async () => undefined;
    return file;
  };
  await writeAtomicWith({ ...fs, open }, path, content);
}

/** {@link writeFileAtomic} on a given file system. */
export async function writeAtomicWith(disk: AtomicFileSystem, path: string, content: FileContent): Promise<void> {
  let target = path;
  let temporary: string | null = null;
  try {
    target = await disk.realpath(path).catch(ifMissing(path));
    const mode = await disk.stat(target).then((stats) => stats.mode & 0o777, ifMissing(0o666));
    temporary = join(dirname(target), `.langevin-${randomUUID()}.tmp`);
    removeAtExit(temporary);
    // At once, so that no end of the process finds a file about to be made that it cannot remove yet.
    closeSync(openSync(temporary, 'wx', mode));
    const file = await disk.open(temporary, 'r+');
    try {
      for await (const piece of pieces(content)) await writeAll(file, piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await disk.rename(temporary, target);
  } catch (error) {
    if (temporary !== null) await disk.rm(temporary, { force: true }).catch(() => undefined);
    throw explain(error, path);
  } finally {
    if (temporary !== null) unfinished.delete(temporary);
  }
  await syncFolder(disk, dirname(target)).catch((error: unknown) => {
    throw explainFlush(error, path);
  });
}

/** Temporary files that are being written. */
const unfinished = new Set<string>();
let watching = false;

/** A process that ends while it writes takes its temporary files along, as after a second Ctrl+C; only one that is killed cannot. */
function removeAtExit(temporary: string): void {
  unfinished.add(temporary);
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const path of unfinished) rmSync(path, { force: true });
  });
}

/**
 * Remove the temporary files that a killed process left in a folder; returns their names. Call it when no other
 * process writes there, for example before resuming a run.
 */
export async function removeStaleTemporaries(folder: string): Promise<readonly string[]> {
  const stale = (await fs.readdir(folder)).filter((name) => TEMPORARY_NAME.test(name)).sort();
  for (const name of stale) await fs.rm(join(folder, name), { force: true });
  return stale;
}

function checkContent(content: unknown): void {
  if (typeof content === 'string' || content instanceof Uint8Array) return;
  if (typeof content === 'object' && content !== null && (Symbol.asyncIterator in content || Symbol.iterator in content)) return;
  throw new UserError(`[io/write] there is nothing to write: content=${shownValue(content)}. Pass text, bytes, or pieces of bytes.`);
}

async function* pieces(content: FileContent): AsyncIterable<Uint8Array> {
  if (typeof content === 'string') yield new TextEncoder().encode(content);
  else if (content instanceof Uint8Array) yield content;
  else yield* content;
}

async function writeAll(file: fs.FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(PIECE_BYTES, bytes.byteLength - done));
    done += bytesWritten;
  }
}

/** The rename itself must reach the disk too. Windows cannot open a folder, and its renames need no such step. */
async function syncFolder(disk: AtomicFileSystem, folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: fs.FileHandle | undefined;
  try {
    handle = await disk.open(folder, 'r');
    await handle.sync();
  } catch (error) {
    // A folder that may be written but not read, or a network file system that cannot flush folders: nothing more can be done.
    if (!['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

function explainFlush(error: unknown, path: string): UserError {
  const { code } = error as NodeJS.ErrnoException;
  return new UserError(
    `[io/write] ${JSON.stringify(path)} is written, but its folder could not be flushed: code=${code}. A power cut now may bring `
      + 'the old file back. Check the disk.',
    { cause: error },
  );
}

function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value;
    throw error;
  };
}

/** Operating-system errors become one that says what was saved; anything else is the content's own and stays itself. */
function explain(error: unknown, path: string): unknown {
  if (!isDiskError(error)) return error;
  return new UserError(
    `[io/write] writing ${JSON.stringify(path)} failed: code=${error.code}. ${remedyOf(error)} What was there before is untouched.`,
    { cause: error },
  );
}
