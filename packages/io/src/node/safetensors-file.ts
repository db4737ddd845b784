import type { DType } from '@langevin/tensor';
import { UserError } from '@langevin/tensor';
import { checkPath } from '../given.ts';
import type { HostTensor } from '../host-tensor.ts';
import { bytesOfArray } from '../host-tensor.ts';
import type { EncodeOptions, StreamedTensor, TensorsByName } from '../safetensors/encode.ts';
import { layoutSafetensors } from '../safetensors/encode.ts';
import { hasPickleName, PICKLE_ADVICE } from '../safetensors/foreign.ts';
import type { SafetensorsReader } from '../safetensors/reader.ts';
import { findEntry, readSafetensorsSource, supportedDType } from '../safetensors/reader.ts';
import { fileSource } from './file-source.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** Where a tensor's bytes lie on the disk, for engines that map files instead of reading them. */
export interface FileSlice {
  readonly path: string;
  /** From the start of the file, in bytes. Files written here align it to the size of an element; others may not. */
  readonly offset: number;
  readonly byteLength: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A safetensors reader over files, which can also say where tensors lie. */
export interface SafetensorsFile extends SafetensorsReader {
  /**
   * Where one tensor lies, without reading it.
   *
   * @throws {UserError} when there is no tensor of that name
   * @throws {UnsupportedError} when Langevin has no dtype for its elements
   */
  slice(name: string): FileSlice;
  /** The file that has a tensor: one of the shards of an index. @throws {UserError} when there is no tensor of that name */
  shardOf(name: string): string;
}

/** Open one file. `openSafetensors` takes an index too. */
export async function openSafetensorsFile(path: string, openSource = fileSource): Promise<SafetensorsFile> {
  const source = await openSource(path);
  try {
    const reader = await readSafetensorsSource(source);
    return {
      ...reader,
      shardOf: (name) => {
        findEntry(reader.entries, name, reader.label);
        return path;
      },
      slice: (name) => {
        const entry = findEntry(reader.entries, name, reader.label);
        const dtype = supportedDType(entry, reader.label);
        return { path, offset: entry.offset, byteLength: entry.byteLength, dtype, shape: entry.shape };
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * Write a safetensors file atomically: the path holds the old file or the whole new one, never a part. The same
 * tensors and metadata give the same bytes. Tensors with `stream` are written as they are produced.
 *
 * @throws {UserError} when a tensor is inconsistent or the disk fails; the old file is then untouched
 * @example
 * import { readSafetensors, writeSafetensors } from '@langevin/io/node';
 * await writeSafetensors('w.safetensors', { w: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } });
 * (await readSafetensors('w.safetensors')).tensors.get('w')?.data; // => Float32Array [1, 2]
 */
export async function writeSafetensors(
  path: string,
  tensors: TensorsByName<HostTensor | StreamedTensor>,
  options: EncodeOptions = {},
): Promise<void> {
  checkPath(path, '[io/safetensors]');
  const layout = layoutSafetensors(tensors, options);
  await writeFileAtomic(
    path,
    (async function* () {
      yield layout.head;
      for (const part of layout.tensors) yield* tensorBytes(part);
    })(),
  );
}

async function* tensorBytes(part: {
  readonly name: string;
  readonly tensor: HostTensor | StreamedTensor;
  readonly byteLength: number;
}): AsyncIterable<Uint8Array> {
  const { name, tensor, byteLength } = part;
  if ('data' in tensor) {
    yield bytesOfArray(tensor.data);
    return;
  }
  let written = 0;
  for await (const piece of tensor.stream()) {
    written += piece.byteLength;
    if (written > byteLength) break;
    yield piece;
  }
  if (written !== byteLength) {
    throw new UserError(
      `[io/safetensors] tensor ${JSON.stringify(name)} streamed `
        + `${written > byteLength ? 'more than ' : ''}${Math.min(written, byteLength)} bytes, `
        + `its shape=[${tensor.shape.join(', ')}] of ${tensor.dtype} needs ${byteLength}. Correct the stream.`,
    );
  }
}

/** @throws {UserError} when the name of a file says that it is a pickle */
export function refusePickle(path: string): void {
  if (hasPickleName(path))
    throw new UserError(`[io/safetensors] ${JSON.stringify(path)} is named like a PyTorch pickle checkpoint. ${PICKLE_ADVICE}`);
}
