import type { UnreadWeight } from '@langevin/nn';
import type { Tensor } from '@langevin/tensor';
import type { Evidence } from './evidence.ts';

/** Tensors of a file of weights by name; none is read before an engine needs it. */
export interface WeightFile {
  readonly tensors: ReadonlyMap<string, Tensor | UnreadWeight>;
  /** The notes in the headers of the files. */
  readonly metadata: Readonly<Record<string, string>>;
  /** How the file has those that it does not have in their dtype. */
  readonly stored: ReadonlyMap<string, StoredForm>;
  /** What was decided about its tensors. */
  readonly evidence: readonly Evidence[];
  /** Closes the files that are open; whatever reads a tensor after it opens them again. */
  readonly close: () => Promise<void>;
}

/** How a file has a tensor that an engine takes in another form. */
export interface StoredForm {
  /** As the file calls it: `F8_E4M3`, `Q4_K`. */
  readonly form: string;
  readonly byteLength: number;
}

/**
 * The files of a checkpoint, wherever they lie: a folder on the disk, a repository of a hub, what a page was given. Paths are relative,
 * with `/` between their parts; only those that `sizes` has can be read.
 */
export interface CheckpointFiles {
  /** Where they lie, as messages say it. */
  readonly label: string;
  /** Where no file is an index or a configuration: what these follow from. @default they are files */
  readonly derived?: string;
  /** What was decided when the files were found. @default nothing */
  readonly evidence?: readonly Evidence[];
  /** All paths with their size in bytes. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Whether reading a file of weights, with all shards of an index, downloads nothing. @default everything is here */
  readonly isHere?: (path: string) => Promise<boolean>;
  /** A configuration as Python writes it. @throws UserError when it is not JSON, or too large to be one */
  readonly json: (path: string) => Promise<unknown>;
  /** A file as it is: a vocabulary, say. @throws UserError when it is larger than `maxBytes` */
  readonly bytes: (path: string, options: { readonly maxBytes: number }) => Promise<Uint8Array>;
  /** A `.safetensors` or `.gguf` file, or the index of a sharded one. @throws UserError when malformed, or naming what is not beside it */
  readonly weights: (path: string) => Promise<WeightFile>;
}

/** The names of the files straight in a folder of a checkpoint; `''` is its root. */
export function namesIn(files: CheckpointFiles, folder: string): readonly string[] {
  const start = folder === '' ? '' : `${folder}/`;
  return [...files.sizes.keys()]
    .filter((path) => path.startsWith(start) && !path.slice(start.length).includes('/'))
    .map((path) => path.slice(start.length))
    .sort();
}

/** A path below a folder of a checkpoint. */
export function within(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
