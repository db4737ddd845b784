import { shownValue, UserError } from '@langevin/tensor';
import type * as v from 'valibot';
import { checkFunctions, checkObject } from '../given.ts';
import { parseWith } from '../json.ts';
import type { DataItem, DataSource } from './data-source.ts';

/** Under which terms data may be used, and who is to be named. */
export interface DataLicence {
  /** An SPDX expression where there is one, else the terms in words. */
  readonly name: string;
  /** Who made it, as they want to be named. */
  readonly attribution: string;
  /** Where the terms are. */
  readonly url?: string;
  /** Names of parts that it is for. @default all that the data set gives */
  readonly parts?: readonly string[];
}

/** A package of the npm registry, of one version with one content. */
export interface PackagePart {
  readonly kind: 'package';
  /** The package's name, by which `open` finds its folder. */
  readonly name: string;
  /** One exact version. */
  readonly version: string;
  /** What the registry calls `dist.integrity`: `sha512-...`. */
  readonly integrity: string;
  /** Size of its tarball. */
  readonly bytes: number;
}

/** A file somewhere on the web, of one content. */
export interface FilePart {
  readonly kind: 'file';
  /** The file's name in the cache, by which `open` finds it. */
  readonly name: string;
  /** Where it can be had, tried in this order; http or https. */
  readonly urls: readonly string[];
  readonly bytes: number;
  /** SHA-256 of its content, in hexadecimal. */
  readonly sha256: string;
}

/** What has to be fetched before a data set can be opened. */
export type DataPart = PackagePart | FilePart;

/** What opening a data set gets besides its options. */
export interface OpenContext {
  /** Where each part lies, by its name: the folder of a package, the path of a file. */
  readonly folders: Readonly<Record<string, string>>;
}

/** A data set by name, whose options may come straight from a configuration file: they are checked, whatever their type says. */
export interface DataPlugin<Options = unknown, Item extends DataItem = DataItem> {
  readonly name: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** All licences that any of its parts is under. */
  readonly licences: readonly DataLicence[];
  /** Names of its options. */
  readonly options: readonly string[];
  /** What must be there before it is opened with these options. @throws UserError for a wrong option */
  readonly parts: (options: Options) => readonly DataPart[];
  /** @throws UserError for a wrong option, or when what lies in the folders is not what it should be */
  readonly open: (options: Options, context: OpenContext) => Promise<DataSource<Item>>;
}

/** What an author of a data set states. */
export interface DataDefinition<Schema extends v.GenericSchema, Item extends DataItem> {
  readonly name: string;
  readonly summary: string;
  readonly licences: readonly DataLicence[];
  /** A strict object of valibot, with a default for all that need not be given. */
  readonly options: Schema & { readonly entries: Readonly<Record<string, unknown>> };
  /** @default nothing has to be fetched */
  readonly parts?: (options: v.InferOutput<Schema>) => readonly DataPart[];
  readonly open: (options: v.InferOutput<Schema>, context: OpenContext) => Promise<DataSource<Item>> | DataSource<Item>;
}

/**
 * Describes a data set of pictures or clips with captions. One file that calls this is all that a new one needs: `openData` of
 * `@langevin/io/node` fetches its parts and opens it, `langevin data` lists and shows it.
 *
 * @throws UserError when the name is not kebab-case, the summary is empty, or no licence or attribution is given
 * @example
 * import { defineData, defineDataSource, type PictureItem } from '@langevin/io';
 * import * as v from 'valibot';
 * const greys = defineData({
 *   name: 'greys', summary: 'One grey pixel.', licences: [{ name: 'CC0-1.0', attribution: 'none asked for' }],
 *   options: v.strictObject({ level: v.optional(v.number(), 128) }),
 *   open: ({ level }) => defineDataSource<PictureItem>({
 *     name: 'greys', kind: 'picture', notes: [{ caption: 'a grey', name: 'grey', group: 'grey', attributes: {} }],
 *     load: () => ({ image: { width: 1, height: 1, channels: 1, data: Uint8Array.of(level) } }),
 *   }),
 * });
 * greys.options; // => ['level']
 */
export function defineData<Schema extends v.GenericSchema, Item extends DataItem, Input = v.InferInput<Schema>>(
  definition: DataDefinition<Schema, Item>,
): DataPlugin<Input, Item> {
  checkObject(definition, 'data set', '[io/data]');
  const { name, summary, licences, options: schema, parts = () => [], open } = definition;
  const refuse = (what: string, remedy: string): never => {
    throw new UserError(`[io/data] data set ${what}: name=${shownValue(name)}. ${remedy}`);
  };
  if (typeof name !== 'string' || !/^[a-z0-9]+(-[a-z0-9]+)*$/u.test(name))
    refuse('has a name that is not kebab-case', 'Use lower-case letters, digits and hyphens.');
  if (typeof summary !== 'string' || summary.trim() === '') refuse('has no summary', 'Say in one sentence what it is.');
  if (!Array.isArray(licences) || licences.length === 0 || !licences.every(isLicence))
    refuse('has no licence, or one without attribution', 'Say under which terms it may be used, and who made it.');
  checkFunctions({ parts, open }, `[io/data] data set ${name}:`);
  checkObject((schema as Partial<typeof schema> | undefined)?.entries, 'schema of options', `[io/data] data set ${name}:`);
  const parse = (options: unknown): v.InferOutput<Schema> => parseWith(schema, options, `[io/data] options of ${name}`);
  return Object.freeze({
    name,
    summary,
    licences: Object.freeze(licences.map((licence) => Object.freeze({ ...licence }))),
    options: Object.freeze(Object.keys(schema.entries)),
    parts: (options: Input) => parts(parse(options)),
    open: async (options: Input, context: OpenContext) => open(parse(options), context),
  });
}

/** The folder or file of a part. @throws UserError when it was not fetched */
export function folderOf(name: string, { folders }: OpenContext): string {
  if (Object.hasOwn(folders, name)) return folders[name]!;
  throw new UserError(`[io/data] a part of the data set is not there: part=${name}. Open it with openData(), which fetches it.`);
}

function isLicence(licence: Partial<DataLicence> | null | undefined): boolean {
  return [licence?.name, licence?.attribution].every((text) => typeof text === 'string' && text.trim() !== '');
}
