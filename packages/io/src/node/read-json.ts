import { readFile } from 'node:fs/promises';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkPath } from '../given.ts';
import { bytesOfArray } from '../host-tensor.ts';
import { parseJson, parsePythonJson } from '../json.ts';
import { cannotRead, fileSource } from './file-source.ts';

export interface ReadOptions {
  /** The largest file accepted, in bytes. */
  readonly maxBytes: number;
}

/** Read a whole file of bounded size. @throws {UserError} when it cannot be read or is larger */
export async function readBytes(path: string, options: ReadOptions): Promise<Uint8Array> {
  checkPath(path, '[io/read]');
  const { maxBytes } = readOptions('io/read', options);
  checkNumber('io/read', { maxBytes }, { atLeast: 0 });
  const source = await fileSource(path);
  await source.close();
  if (source.byteLength > maxBytes) {
    throw new UserError(
      `[io/read] ${JSON.stringify(path)} is too large: size=${source.byteLength} bytes, limit=${maxBytes}. Check that it is the `
        + 'right file.',
    );
  }
  const buffer = await readFile(path).catch((cause: unknown) => {
    throw cannotRead(path, cause);
  });
  return bytesOfArray(buffer);
}

/**
 * Read a JSON file, for example a model's config.
 *
 * @param options.maxBytes the largest file accepted. @default 16 MiB, far above any config and small enough to parse at once
 * @throws {UserError} when it cannot be read, is too large, is not JSON, or names a key twice in one object
 */
export async function readJson(path: string, options: ReadOptions = { maxBytes: 16 * 1024 * 1024 }): Promise<unknown> {
  const bytes = await readBytes(path, options);
  return parseJson(new TextDecoder().decode(bytes), `[io/json] ${JSON.stringify(path)}`);
}

/**
 * Read a configuration that diffusers or transformers saved: JSON in which numbers may be `NaN`, `Infinity` or `-Infinity`.
 *
 * @param options.maxBytes the largest file accepted. @default 16 MiB, as for {@link readJson}
 * @throws {UserError} when it cannot be read, is too large, is not JSON but for these numbers, or names a key twice in one object
 */
export async function readPythonJson(path: string, options: ReadOptions = { maxBytes: 16 * 1024 * 1024 }): Promise<unknown> {
  const bytes = await readBytes(path, options);
  return parsePythonJson(new TextDecoder().decode(bytes), `[io/json] ${JSON.stringify(path)}`);
}
