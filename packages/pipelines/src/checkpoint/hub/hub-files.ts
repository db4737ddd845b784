import { join } from 'node:path';
import { readBytes, readPythonJson } from '@langevin/io/node';
import { shownValue, UserError } from '@langevin/tensor';
import { mappedTensors } from '../../weights.ts';
import type { CheckpointFiles } from '../files.ts';
import { folderFiles } from '../folder-files.ts';
import { isPlainObject } from '../plain-object.ts';
import { cachedCommit, cachedFile, isCached, noteCommit, repositoryFolder } from './hub-cache.ts';
import { checkRevision, parseHubId, type HubId } from './hub-id.ts';
import { listHub, type HubListing } from './hub-listing.ts';
import { resolveHub, type HubOptions, type ResolvedHub } from './hub-options.ts';

/** Configurations have some kilobytes, indices of many shards some megabytes. */
const MOST_JSON_BYTES = 64 * 1024 * 1024;

/**
 * The files of a model on a hub. All of them are listed at once; each is downloaded when it is read, into the cache that Python's
 * `huggingface_hub` uses, so that what either has is not downloaded again.
 *
 * @param given `owner/name`, or `owner/name@revision`
 * @throws UserError when the id is none, the hub refuses or cannot be reached, or offline nothing is in the cache; UnsupportedError when
 *   `@huggingface/hub` is not installed
 * @example
 * // not run: needs the network
 * const files = await hubFiles('hf-internal-testing/tiny-stable-diffusion-torch');
 * await files.json('model_index.json');
 */
export async function hubFiles(given: string, options: HubOptions = {}): Promise<CheckpointFiles> {
  const parsed = parseHubId(given);
  if (parsed === undefined)
    throw new UserError(`[pipelines/hub] not the id of a model: id=${shownValue(given)}. Write owner/name, or owner/name@revision.`);
  const id: HubId = { ...parsed, ...(options.revision !== undefined && { revision: checkRevision(options.revision) }) };
  const hub = resolveHub(options);
  if (hub.network === 'offline') return offlineFiles(id, hub);
  const listing = await listHub(id, hub);
  await noteCommit(id, { hub, commit: listing.commit });
  return onlineFiles(id, { hub, listing });
}

/** What was downloaded before, of the commit that the revision was then. */
async function offlineFiles(id: HubId, hub: ResolvedHub): Promise<CheckpointFiles> {
  const commit = await cachedCommit(id, hub);
  const folder = commit === undefined ? undefined : join(repositoryFolder(id, hub), 'snapshots', commit);
  const files = folder === undefined ? undefined : await folderFiles(folder).catch(() => undefined);
  if (files !== undefined) return Object.freeze({ ...files, label: labelOf(id, commit!) });
  throw new UserError(
    `[pipelines/hub] model is not in the cache, and the network is not to be used: id=${id.owner}/${id.name}, revision=${id.revision}, `
      + `cache=${JSON.stringify(hub.cache)}. Unset HF_HUB_OFFLINE and load it once.`,
  );
}

function onlineFiles(
  id: HubId,
  { hub, listing: { commit, files } }: { readonly hub: ResolvedHub; readonly listing: HubListing },
): CheckpointFiles {
  const label = labelOf(id, commit);
  const place = async (path: string): Promise<string> => {
    const file = files.get(path);
    if (file !== undefined) return cachedFile(file, { id, hub, commit });
    throw new UserError(`[pipelines/hub] file is missing: path=${JSON.stringify(path)}, model=${label}. Look at the list of its files.`);
  };
  const checkSize = (path: string, most: number): void => {
    const size = files.get(path)?.bytes ?? 0;
    if (size <= most) return;
    throw new UserError(
      `[pipelines/hub] file is larger than such a file is: path=${path}, model=${label}, bytes=${size}, most=${most}. It was not `
        + 'downloaded.',
    );
  };
  const json = async (path: string): Promise<unknown> => {
    checkSize(path, MOST_JSON_BYTES);
    return readPythonJson(await place(path), { maxBytes: MOST_JSON_BYTES });
  };
  return Object.freeze({
    label,
    sizes: new Map([...files].map(([path, { bytes }]) => [path, bytes])),
    json,
    bytes: async (path: string, { maxBytes }: { readonly maxBytes: number }) => {
      checkSize(path, maxBytes);
      return readBytes(await place(path), { maxBytes });
    },
    isHere: async (path: string) => {
      const own = files.get(path);
      if (own === undefined || !(await isCached(own, { id, hub, commit }))) return false;
      const shards = path.endsWith('.json') ? shardsOf(await json(path), path) : [];
      for (const shard of shards) if (files.has(shard) && !(await isCached(files.get(shard)!, { id, hub, commit }))) return false;
      return true;
    },
    weights: async (path: string) => {
      if (path.endsWith('.json')) for (const shard of shardsOf(await json(path), path)) if (files.has(shard)) await place(shard);
      return mappedTensors(await place(path));
    },
  });
}

/** The files beside an index that it names; whether it may name them is checked where it is opened. */
function shardsOf(index: unknown, path: string): readonly string[] {
  const map = isPlainObject(index) ? index['weight_map'] : undefined;
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const names = isPlainObject(map) ? Object.values(map).filter((name) => typeof name === 'string') : [];
  return [...new Set(names)].filter((name) => /^[^/\\]+\.safetensors$/u.test(name)).map((name) => `${folder}${name}`);
}

function labelOf({ owner, name }: HubId, commit: string): string {
  return `${owner}/${name}@${commit.slice(0, 12)}`;
}
