import {
  blobSource,
  parsePythonJson,
  readGgufSource,
  readSafetensorsSource,
  urlSource,
  type ByteSource,
  type SafetensorsReader,
  type UrlSourceOptions,
} from '@langevin/io';
import { shownValue, UserError } from '@langevin/tensor';
import { lazyGguf, lazyWeights } from '../stored/lazy-weights.ts';
import type { CheckpointFiles, WeightFile } from './files.ts';
import { isPlainObject } from './plain-object.ts';

const WHERE = 'pipelines/page-files';
/** Folders with more are not those of a checkpoint. */
const MOST_FILES = 10_000;
const MOST_JSON_BYTES = 64 * 1024 * 1024;
/** Requests for sizes that are under way at once. */
const AT_ONCE = 8;

/** A file that a page was given, or the address of one on a server that answers range requests. */
export type PageFile = Blob | string;

/**
 * The files of a checkpoint that a page has: those that its user chose, or addresses. Weights are read by range when an engine takes them.
 *
 * @param given by the paths that they have below the checkpoint's folder: `unet/config.json`
 * @throws UserError for paths that leave the folder, or for a server that does not give a file; UnsupportedError for one that sends whole
 *   files only
 * @example
 * const { sizes } = await pageFiles({ 'config.json': new Blob(['{"_class_name": "UNet2DModel"}']) }, { label: 'chosen files' });
 * sizes.get('config.json'); // => 30
 */
export async function pageFiles(
  given: Readonly<Record<string, PageFile>>,
  { label = 'the given files', ...how }: UrlSourceOptions & { readonly label?: string } = {},
): Promise<CheckpointFiles> {
  if (!isPlainObject(given)) throw new UserError(`[${WHERE}] these are no files: files=${shownValue(given)}. Give them by their paths.`);
  const entries = Object.entries(given);
  if (entries.length > MOST_FILES)
    throw new UserError(`[${WHERE}] too many files: files=${entries.length}, most=${MOST_FILES}. Give fewer.`);
  for (const [path] of entries)
    if (path === '' || /[\\\0]/u.test(path) || path.split('/').some((part) => part === '' || part === '.' || part === '..'))
      throw new UserError(`[${WHERE}] path is not below the checkpoint: path=${JSON.stringify(path)}. Write it as unet/config.json.`);
  const sources = new Map<string, ByteSource>();
  for (let i = 0; i < entries.length; i += AT_ONCE) {
    const some = entries.slice(i, i + AT_ONCE).map(async ([path, file]) => {
      const source = typeof file === 'string' ? await urlSource(file, how) : blobSource(file, `${label}/${path}`);
      return [path, source] as const;
    });
    for (const [path, source] of await Promise.all(some)) sources.set(path, source);
  }
  const sourceOf = (path: string): ByteSource => {
    const found = sources.get(path);
    if (found !== undefined) return found;
    throw new UserError(`[${WHERE}] file is missing: path=${JSON.stringify(path)}, files=${label}. Give it too.`);
  };
  const bytes = async (path: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array> => {
    const source = sourceOf(path);
    if (source.byteLength > maxBytes)
      throw new UserError(`[${WHERE}] file is too large: path=${path}, size=${source.byteLength}, limit=${maxBytes}. It is another file.`);
    return source.read(0, source.byteLength);
  };
  const json = async (path: string): Promise<unknown> =>
    parsePythonJson(new TextDecoder().decode(await bytes(path, { maxBytes: MOST_JSON_BYTES })), `[${WHERE}] ${label}/${path}`);
  const weights = async (path: string): Promise<WeightFile> => {
    if (path.endsWith('.json')) return lazyWeights(await joined(path, { index: await json(path), source: sourceOf }));
    const source = sourceOf(path);
    return path.toLowerCase().endsWith('.gguf') ? lazyGguf(await readGgufSource(source)) : lazyWeights(await readSafetensorsSource(source));
  };
  return Object.freeze({
    label,
    sizes: new Map([...sources].map(([path, { byteLength }]) => [path, byteLength])),
    json,
    bytes,
    weights,
  });
}

/** The tensors that an index names, of the shards beside it, as one file. */
async function joined(
  path: string,
  { index, source }: { readonly index: unknown; readonly source: (path: string) => ByteSource },
): Promise<SafetensorsReader> {
  const listed = isPlainObject(index) ? index['weight_map'] : undefined;
  const isShard = (name: unknown): boolean => typeof name === 'string' && /^[^/\\:\0]+\.safetensors$/u.test(name);
  if (!isPlainObject(listed) || !Object.values(listed).every(isShard))
    throw new UserError(
      `[${WHERE}] index names no files beside it: path=${path}, weight_map=${shownValue(listed)}. Do not use this checkpoint.`,
    );
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const shards = new Map<string, SafetensorsReader>();
  for (const shard of new Set(Object.values(listed) as string[])) shards.set(shard, await readSafetensorsSource(source(folder + shard)));
  const shardOf = (name: string): SafetensorsReader => shards.get(listed[name] as string)!;
  const entries = new Map(
    Object.keys(listed).map((name) => {
      const entry = shardOf(name).entries.get(name);
      if (entry !== undefined) return [name, entry] as const;
      throw new UserError(
        `[${WHERE}] shard lacks a tensor of the index: shard=${String(listed[name])}, name=${name}. The files are of different versions.`,
      );
    }),
  );
  return {
    label: path,
    metadata: Object.assign({}, ...[...shards.values()].map(({ metadata }) => metadata)) as Record<string, string>,
    entries,
    read: (name) => shardOf(name).read(name),
    readStored: (name) => shardOf(name).readStored(name),
    close: () => Promise.resolve(),
  };
}
