import { dirname, join } from 'node:path';
import { readOptions, shownValue, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { checkPath } from '../given.ts';
import type { HostTensor } from '../host-tensor.ts';
import { parseWith } from '../json.ts';
import type { EncodeOptions, TensorsByName } from '../safetensors/encode.ts';
import { layoutSafetensors } from '../safetensors/encode.ts';
import type { SafetensorsEntry } from '../safetensors/header.ts';
import { findEntry } from '../safetensors/reader.ts';
import { fileSource } from './file-source.ts';
import { makeFolder } from './make-folder.ts';
import { readJson } from './read-json.ts';
import type { SafetensorsFile } from './safetensors-file.ts';
import { openSafetensorsFile, refusePickle, writeSafetensors } from './safetensors-file.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** The form that transformers and diffusers write: tensor name -> file beside the index. */
const indexSchema = v.object({
  metadata: v.optional(v.record(v.string(), v.unknown())),
  weight_map: v.record(v.string(), v.string()),
});

/** An index lists names only, so even large models stay far below this. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/**
 * Open the shards that an index (`*.safetensors.index.json`) names, as one file. A tensor that a shard holds but the
 * index does not list is left out: the index says what belongs to the model.
 *
 * @throws {UserError} when the index is malformed, names a file outside its folder, a shard is missing or lacks a tensor
 */
export async function openSafetensorsIndex(path: string, openSource = fileSource): Promise<SafetensorsFile> {
  const where = `[io/safetensors] index ${JSON.stringify(path)}`;
  const { weight_map: weightMap } = parseWith(indexSchema, await readJson(path, { maxBytes: MAX_INDEX_BYTES }), where);
  const names = [...new Set(Object.values(weightMap))].sort();
  for (const name of names) checkShardName(name, where);

  const shards = new Map<string, SafetensorsFile>();
  const close = async (): Promise<void> => {
    await Promise.all([...shards.values()].map((shard) => shard.close()));
  };
  try {
    const missing: string[] = [];
    for (const name of names) {
      try {
        shards.set(name, await openSafetensorsFile(join(dirname(path), name), openSource));
      } catch (error) {
        if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw error;
        missing.push(name);
      }
    }
    if (missing.length > 0) {
      throw new UserError(
        `${where} names ${missing.length} of ${names.length} files that are missing: ${missing.slice(0, 5).join(', ')}. Download `
          + 'them into the same folder.',
      );
    }
    const entries = new Map<string, SafetensorsEntry>();
    for (const [name, shard] of Object.entries(weightMap)) {
      const entry = shards.get(shard)?.entries.get(name);
      if (entry === undefined) {
        throw new UserError(
          `${where} says that tensor ${JSON.stringify(name)} is in ${JSON.stringify(shard)}, but it is not. The files are from `
            + 'different versions; download them again.',
        );
      }
      entries.set(name, entry);
    }
    const label = JSON.stringify(path);
    const shardOf = (name: string): SafetensorsFile => {
      findEntry(entries, name, label);
      return shards.get(weightMap[name]!)!;
    };
    const metadata = Object.assign({}, ...[...shards.values()].map((shard) => shard.metadata)) as Record<string, string>;
    return {
      label,
      metadata,
      entries,
      close,
      read: async (name) => shardOf(name).read(name),
      readStored: async (name) => shardOf(name).readStored(name),
      slice: (name) => shardOf(name).slice(name),
      shardOf: (name) => shardOf(name).shardOf(name),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An index is not trusted to reach outside its own folder. */
function checkShardName(name: string, where: string): void {
  refusePickle(name);
  if (/^[^/\\:\0]+\.safetensors$/.test(name) && !name.startsWith('..')) return;
  throw new UserError(
    `${where} names the file ${JSON.stringify(name)}; only *.safetensors files beside the index are allowed. Do not use this checkpoint.`,
  );
}

export interface ShardOptions extends EncodeOptions {
  /** File names start with this. @default 'model', as transformers does; diffusers uses 'diffusion_pytorch_model' */
  readonly name?: string;
  /** Shards are filled up to this many bytes; one larger tensor gets a shard alone. @default 5e9, as in transformers */
  readonly maxShardBytes?: number;
}

/**
 * Write tensors into a folder as one file, or as shards with an index when they exceed `maxShardBytes`. The index is
 * written last, so that it never names a file that is not there. Returns the path to open.
 */
export async function writeSafetensorsFolder(
  folder: string,
  tensors: TensorsByName<HostTensor>,
  options: ShardOptions = {},
): Promise<string> {
  const { name = 'model', maxShardBytes = 5e9, metadata = {} } = readOptions('io/safetensors', options);
  checkPath(folder, '[io/safetensors]');
  if (typeof name !== 'string')
    throw new UserError(`[io/safetensors] name is no text: name=${shownValue(name)}. Give the start of file names.`);
  if (!(maxShardBytes >= 1)) throw new UserError(`[io/safetensors] maxShardBytes=${maxShardBytes} must be at least 1.`);
  const parts = layoutSafetensors(tensors, { metadata }).tensors;
  await makeFolder(folder);
  const shards: { tensors: Map<string, HostTensor>; bytes: number }[] = [{ tensors: new Map(), bytes: 0 }];
  for (const { name: tensorName, tensor, byteLength } of parts) {
    let shard = shards.at(-1)!;
    if (shard.bytes > 0 && shard.bytes + byteLength > maxShardBytes) shards.push((shard = { tensors: new Map(), bytes: 0 }));
    shard.tensors.set(tensorName, tensor);
    shard.bytes += byteLength;
  }
  if (shards.length === 1) {
    const path = join(folder, `${name}.safetensors`);
    await writeSafetensors(path, shards[0]!.tensors, { metadata });
    return path;
  }
  const weightMap: [string, string][] = [];
  for (const [i, shard] of shards.entries()) {
    const file = `${name}-${pad(i + 1)}-of-${pad(shards.length)}.safetensors`;
    await writeSafetensors(join(folder, file), shard.tensors, { metadata });
    for (const tensorName of shard.tensors.keys()) weightMap.push([tensorName, file]);
  }
  const path = join(folder, `${name}.safetensors.index.json`);
  const totalSize = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  weightMap.sort(([a], [b]) => (a < b ? -1 : 1));
  await writeFileAtomic(
    path,
    `${JSON.stringify({ metadata: { total_size: totalSize }, weight_map: Object.fromEntries(weightMap) }, null, 2)}\n`,
  );
  return path;
}

function pad(i: number): string {
  return String(i).padStart(5, '0');
}
