import { constants } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { UnsupportedError, UserError } from '@langevin/tensor';
import type { ByteSource } from '../safetensors/byte-source.ts';

// One system call reads at most 2 GiB on Linux; smaller pieces also keep the thread pool fair.
const PIECE_BYTES = 256 * 1024 * 1024;

/** A file that is read by range through one open handle. @throws {UserError} when it cannot be opened */
export async function fileSource(path: string): Promise<ByteSource> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw cannotRead(path, cause);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new UserError(`[io/read] ${JSON.stringify(path)} is not a regular file. Name a file.`);
    return {
      label: JSON.stringify(path),
      byteLength: stats.size,
      read: (offset, length) => readRange(handle, { path, offset, length }),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The error for a file that the operating system will not give. */
export function cannotRead(path: string, cause: unknown): UserError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const remedy = code === 'ENOENT' ? 'Check the path.' : code === 'EACCES' ? 'Check its permissions.' : 'Check the file and the disk.';
  return new UserError(`[io/read] cannot read ${JSON.stringify(path)}: code=${code}. ${remedy}`, { cause });
}

interface Range {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

async function readRange(handle: FileHandle, { path, offset, length }: Range): Promise<Uint8Array> {
  const bytes = allocate(length, path);
  let done = 0;
  while (done < length) {
    const wanted = Math.min(PIECE_BYTES, length - done);
    const { bytesRead } = await handle.read(bytes, done, wanted, offset + done).catch((cause: unknown) => {
      throw cannotRead(path, cause);
    });
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}

function allocate(length: number, path: string): Uint8Array {
  // Not a question of memory: Node 20 makes no array of more than 4 GiB, whatever the machine has.
  if (length > constants.MAX_LENGTH)
    throw new UnsupportedError(
      `[io/read] ${JSON.stringify(path)}: a tensor is larger than arrays may be in this Node: size=${length} bytes, `
        + `limit=${constants.MAX_LENGTH}, node=${process.version}. Store it in parts; newer versions of Node may have a higher limit.`,
    );
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new UserError(
      `[io/read] ${JSON.stringify(path)}: no memory for a range of ${length} bytes. Use a smaller tensor or more memory.`,
      { cause },
    );
  }
}
