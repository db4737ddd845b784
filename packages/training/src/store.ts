import { bytesSource, type ByteSource } from '@langevin/io';
import { shownValue, UserError } from '@langevin/tensor';

/**
 * Where a run is kept: a folder in Node, memory, or whatever a page has. Paths are relative, with `/` between folders; the loop uses
 * `checkpoints/`, `evaluations/`, `config.json`, `log.jsonl` and `timings.jsonl`.
 */
export interface RunStore {
  /** What it is, for messages: the path of a folder. */
  readonly label: string;
  /** Undefined when there is no such file. */
  readonly open: (path: string) => Promise<ByteSource | undefined>;
  /** Whole or not at all: what was there stays until the new content is safe. */
  readonly write: (path: string, pieces: readonly Uint8Array[]) => Promise<void>;
  readonly append: (path: string, text: string) => Promise<void>;
  /** Names of the files of a folder, in any order; none for a folder that is not there. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  readonly remove: (path: string) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  /** Keeps other runs out until released. @throws UserError when one is there */
  readonly lock: () => Promise<{ readonly release: () => Promise<void> }>;
}

/** Files in memory: for tests, short runs and pages that keep nothing. */
export function memoryStore(label = 'memory'): RunStore & { readonly files: ReadonlyMap<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  let holder: symbol | undefined;
  const joined = (pieces: readonly Uint8Array[]): Uint8Array => {
    const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
    let offset = 0;
    for (const piece of pieces) {
      bytes.set(piece, offset);
      offset += piece.byteLength;
    }
    return bytes;
  };
  return Object.freeze({
    label,
    files,
    open: (path: string) => {
      const bytes = files.get(path);
      return Promise.resolve(bytes === undefined ? undefined : bytesSource(bytes, `${label}/${path}`));
    },
    write: (path: string, pieces: readonly Uint8Array[]) => {
      files.set(path, joined(pieces));
      return Promise.resolve();
    },
    append: (path: string, text: string) => {
      files.set(path, joined([files.get(path) ?? new Uint8Array(), new TextEncoder().encode(text)]));
      return Promise.resolve();
    },
    list: (folder: string) => {
      const inside = [...files.keys()].filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1));
      return Promise.resolve(inside.filter((name) => !name.includes('/')));
    },
    remove: (path: string) => {
      files.delete(path);
      return Promise.resolve();
    },
    rename: (from: string, to: string) => {
      const bytes = files.get(from);
      if (bytes !== undefined) files.set(to, bytes);
      files.delete(from);
      return Promise.resolve();
    },
    lock: async () => {
      if (holder !== undefined) {
        throw new UserError(`[training/store] another run is writing here: store=${label}. Wait until it ends, or use another store.`);
      }
      const mine = Symbol(label);
      holder = mine;
      return {
        release: async () => {
          if (holder === mine) holder = undefined;
        },
      };
    },
  });
}

/** No text of JavaScript is longer in any engine. */
const LONGEST_TEXT = 2 ** 29 - 24;

/** All of a file as text. @throws UserError when it is too large to be one */
export async function readText(store: RunStore, path: string): Promise<string | undefined> {
  const source = await store.open(path);
  if (source === undefined) return undefined;
  try {
    if (source.byteLength > LONGEST_TEXT)
      throw new UserError(
        `[training/store] file of the run is too large to be read: ${store.label}/${path}, size=${source.byteLength} bytes, `
          + `limit=${LONGEST_TEXT}. Restore it, or use a new place.`,
      );
    return new TextDecoder().decode(await source.read(0, source.byteLength));
  } finally {
    await source.close();
  }
}

/** Text as the pieces of a file. */
export function textPieces(text: string): readonly Uint8Array[] {
  return [new TextEncoder().encode(text)];
}

const STORE = ['open', 'write', 'append', 'list', 'remove', 'rename', 'lock'] as const satisfies readonly (keyof RunStore)[];

/** @throws UserError when a function of a store is missing */
export function checkStore(store: unknown): void {
  const missing =
    typeof store === 'object' && store !== null
      ? STORE.find((name) => typeof (store as Partial<RunStore>)[name] !== 'function')
      : 'all of it';
  if (missing === undefined) return;
  throw new UserError(
    `[training/store] there is no store: store=${shownValue(store)}, missing=${missing}. Pass folderStore() or memoryStore().`,
  );
}
