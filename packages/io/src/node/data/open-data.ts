import { checkNumber, didYouMean, readOptions, shownValue, UserError } from '@langevin/tensor';
import { dataPlugins } from '../../data/index.ts';
import { checkFunctions, checkSource } from '../../given.ts';
import { ABOUT, type DataSource } from '../../sources/data-source.ts';
import type { DataLicence, DataPart, DataPlugin } from '../../sources/define-data.ts';
import { downloadFile } from '../fetch/download-file.ts';
import { fetchPackage, type FetchPackageOptions } from '../fetch/fetch-package.ts';
import { writeFileAtomic } from '../write-file-atomic.ts';

export interface OpenDataOptions extends FetchPackageOptions {
  /** The data sets to choose from; add your own here. @default the ones of this package */
  readonly plugins?: readonly DataPlugin<never>[];
}

/** From where something trained has its knowledge: kept with it, since licences ask for that. */
export interface DataCredits {
  readonly data: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly licences: readonly DataLicence[];
  /** Exactly what was read: of packages the integrity, of files the SHA-256. */
  readonly parts: readonly { readonly name: string; readonly version?: string; readonly checksum: string }[];
}

/** A data set that is there. */
export interface OpenedData {
  readonly source: DataSource;
  readonly credits: DataCredits;
}

/**
 * The data set that a configuration names, with what has to be fetched of it.
 *
 * @throws UserError when the name is unknown, listing those that exist, or an option is wrong
 */
export function findData(
  config: unknown,
  plugins: readonly DataPlugin<never>[] = dataPlugins,
): { readonly plugin: DataPlugin; readonly options: Readonly<Record<string, unknown>>; readonly parts: readonly DataPart[] } {
  const { name, ...options } = (typeof config === 'object' && config !== null ? config : {}) as Record<string, unknown>;
  if (!Array.isArray(plugins))
    throw new UserError(`[io/data] data sets are a list: plugins=${shownValue(plugins)}. Pass [defineData({ ... }), ...].`);
  for (const each of plugins as readonly DataPlugin[])
    checkFunctions({ parts: each?.parts, open: each?.open }, `[io/data] data set ${shownValue(each?.name)}:`);
  const plugin = plugins.find((candidate) => candidate.name === name) as DataPlugin | undefined;
  if (plugin === undefined) {
    const known = plugins.map((candidate) => candidate.name).sort();
    const hint = typeof name === 'string' ? didYouMean(name, known) : '';
    throw new UserError(`[io/data] unknown data set: name=${JSON.stringify(name) ?? 'none'}.${hint} Known: ${known.join(', ')}.`);
  }
  const parts: unknown = plugin.parts(options);
  if (!Array.isArray(parts))
    throw new UserError(`[io/data] parts of a data set are a list: data=${plugin.name}, parts=${shownValue(parts)}. Correct its parts().`);
  return { plugin, options, parts: parts as readonly DataPart[] };
}

/**
 * Fetch what a data set needs, one part after another; what is in the cache is not fetched again.
 *
 * @param config its name, and its options
 * @returns where each part lies, by its name
 * @throws UserError when a part cannot be fetched, or the name or an option is wrong
 */
export async function fetchData(config: unknown, options: OpenDataOptions = {}): Promise<Readonly<Record<string, string>>> {
  const { plugins, ...fetching } = readOptions('io/data', options);
  const { parts } = findData(config, plugins);
  const folders: Record<string, string> = {};
  for (const part of parts)
    folders[part.name] = part.kind === 'package' ? await fetchPackage(part, fetching) : await downloadFile(part, fetching);
  return folders;
}

/**
 * Open a data set by name: what is missing of it is fetched first.
 *
 * @param config its name, and its options
 * @throws UserError when a part cannot be fetched or read, or the name or an option is wrong
 * @example
 * import { openData } from '@langevin/io/node';
 * const { source, credits } = await openData({ name: 'captioned-shapes', count: 10, seed: 1 });
 * source.length; // => 10
 * credits.licences[0]?.name; // => 'CC0-1.0'
 */
export async function openData(config: unknown, options: OpenDataOptions = {}): Promise<OpenedData> {
  const { plugin, options: own, parts } = findData(config, readOptions('io/data', options).plugins);
  const folders = await fetchData(config, options);
  const source: DataSource = await plugin.open(own, { folders });
  checkSource(source, `[io/data] data set ${plugin.name} opened what is none:`, ABOUT);
  return { source, credits: creditsOf(plugin, { options: own, parts }) };
}

function creditsOf(
  plugin: DataPlugin,
  { options, parts }: { readonly options: Readonly<Record<string, unknown>>; readonly parts: readonly DataPart[] },
): DataCredits {
  const names = parts.map(({ name }) => name);
  return Object.freeze({
    data: plugin.name,
    options,
    licences: licencesFor(plugin, names),
    parts: parts.map((part) =>
      part.kind === 'package'
        ? { name: part.name, version: part.version, checksum: part.integrity }
        : { name: part.name, checksum: `sha256:${part.sha256}` },
    ),
  });
}

/** The licences of what is used. */
export function licencesFor({ licences }: Pick<DataPlugin, 'licences'>, parts: readonly string[]): readonly DataLicence[] {
  return licences.filter((licence) => licence.parts?.some((part) => parts.includes(part)) ?? true);
}

/** Credits as text, one line for each licence. */
export function creditsText({ licences }: Pick<DataCredits, 'licences'>): string {
  return licences.map(({ name, attribution, url }) => `${attribution}: ${name}${url === undefined ? '' : ` (${url})`}`).join('\n');
}

/**
 * Write credits beside what was trained, as JSON: `credits.json` in a folder of a model or a run, say.
 *
 * @throws UserError when the disk fails
 */
export async function writeCredits(path: string, credits: readonly DataCredits[]): Promise<void> {
  if (!Array.isArray(credits))
    throw new UserError(`[io/data] credits are a list: credits=${shownValue(credits)}. Pass those of openData().`);
  checkNumber('io/data', { credits: credits.length }, { atLeast: 1, kind: 'integer' });
  await writeFileAtomic(path, `${JSON.stringify(credits, undefined, 1)}\n`);
}
