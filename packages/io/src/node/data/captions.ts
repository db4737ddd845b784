import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { parseJson } from '../../json.ts';
import { readBytes } from '../read-json.ts';
import { parseCsv } from './csv.ts';

/** Options of folders with captions. */
export const captionEntries = {
  /** Column of a metadata file that is the caption. */
  captionColumn: v.optional(v.pipe(v.string(), v.nonEmpty())),
  /** What becomes of files without a caption. */
  uncaptioned: v.optional(v.picklist(['name', 'skip', 'refuse']), 'name'),
};

/** Captions of people are sentences, not books. */
const MOST_CAPTION_BYTES = 64 * 1024;
const MOST_METADATA_BYTES = 1024 * 1024 * 1024;
/** What Hugging Face's guides call it, then what others do. */
const CAPTION_COLUMNS = ['text', 'caption'] as const;
const GROUP_COLUMN = 'group';

/** What is known of a file from what lies beside it. */
export interface FileNotes {
  readonly caption: string;
  readonly group: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Row {
  readonly columns: Readonly<Record<string, string>>;
  /** Where it stands, for messages. */
  readonly where: string;
}

export interface CaptionOptions {
  readonly captionColumn?: string | undefined;
  readonly uncaptioned: 'name' | 'skip' | 'refuse';
}

/**
 * Captions of files under a folder: of `metadata.jsonl` or `metadata.csv` in its folder or one above, as Hugging Face's ImageFolder reads
 * them, else of a `.txt` of the same name beside it.
 *
 * @param files relative to the folder, with `/`
 * @returns notes by file, with its `folder` and, as `class`, the first folder on the way to it; files that `skip` leaves out have none
 * @throws UserError for metadata of another form, or of a file that is not there, and for a file without caption when `refuse` is asked for
 */
export async function readCaptions(
  folder: string,
  files: readonly string[],
  { captionColumn, uncaptioned }: CaptionOptions,
): Promise<ReadonlyMap<string, FileNotes>> {
  const rows = await readMetadata(folder, new Set(files));
  const result = new Map<string, FileNotes>();
  for (const file of files) {
    const row = rows.get(file);
    const column = captionColumn ?? CAPTION_COLUMNS.find((name) => row?.columns[name] !== undefined);
    if (row !== undefined && captionColumn !== undefined && row.columns[captionColumn] === undefined)
      throw new UserError(
        `[io/data] metadata has no such column: ${row.where}, captionColumn=${captionColumn}, `
          + `columns=${Object.keys(row.columns).join(', ')}. Name one of them.`,
      );
    const told = (column === undefined ? undefined : row?.columns[column]) ?? (await captionBeside(folder, file));
    const caption = told?.trim() ?? '';
    if (caption === '' && uncaptioned === 'skip') continue;
    if (caption === '' && uncaptioned === 'refuse')
      throw new UserError(
        `[io/data] file has no caption: ${JSON.stringify(join(folder, file))}. Write a .txt beside it or a line in metadata.jsonl, or `
          + 'choose uncaptioned=name or skip.',
      );
    const { [column ?? '']: _, [GROUP_COLUMN]: group = '', ...others } = row?.columns ?? {};
    const inFolder = dirname(file) === '.' ? {} : { folder: dirname(file), class: file.slice(0, file.indexOf('/')) };
    result.set(file, {
      caption: caption === '' ? wordsOfName(file) : caption,
      group: group.trim() === '' ? file : group,
      attributes: { ...inFolder, ...others },
    });
  }
  if (result.size === 0)
    throw new UserError(
      `[io/data] no file has a caption: ${JSON.stringify(folder)}, files=${files.length}. Choose uncaptioned=name, or write some.`,
    );
  return result;
}

/** `my-cat_02.png` as `my cat 02`. */
function wordsOfName(file: string): string {
  const words = basename(file, extname(file))
    .replace(/[-_.\s]+/gu, ' ')
    .trim();
  return words === '' ? file : words;
}

async function captionBeside(folder: string, file: string): Promise<string | undefined> {
  const path = join(folder, dirname(file), `${basename(file, extname(file))}.txt`);
  if (!existsSync(path)) return undefined;
  return new TextDecoder().decode(await readBytes(path, { maxBytes: MOST_CAPTION_BYTES })).replace(/\s+/gu, ' ');
}

/** All lines of all metadata files, by file; nearer ones win. */
async function readMetadata(folder: string, files: ReadonlySet<string>): Promise<ReadonlyMap<string, Row>> {
  const folders = [...new Set(['.', ...[...files].flatMap(parents)])].sort((a, b) => depth(a) - depth(b));
  const result = new Map<string, Row>();
  for (const relative of folders) {
    for (const name of ['metadata.csv', 'metadata.jsonl']) {
      const path = join(folder, relative, name);
      if (!existsSync(path)) continue;
      const text = new TextDecoder().decode(await readBytes(path, { maxBytes: MOST_METADATA_BYTES }));
      const rows = name.endsWith('.csv') ? parseCsv(text, `[io/data] ${JSON.stringify(path)}`) : linesOf(text, path);
      for (const { columns, where } of rows) {
        const { file_name: given, ...others } = columns;
        const file = placeOf(given, { relative, where });
        if (!files.has(file))
          throw new UserError(
            `[io/data] metadata names a file that is not there: ${where}, file_name=${JSON.stringify(given)}. Correct the line.`,
          );
        result.set(file, { columns: others, where });
      }
    }
  }
  return result;
}

function parents(file: string): string[] {
  const result: string[] = [];
  for (let at = dirname(file); at !== '.'; at = dirname(at)) result.push(at);
  return result;
}

function depth(folder: string): number {
  return folder === '.' ? 0 : folder.split('/').length;
}

/** The file of a line, relative to the whole folder; it cannot lead out of the folder of its metadata. */
function placeOf(given: string | undefined, { relative, where }: { readonly relative: string; readonly where: string }): string {
  const parts = (given ?? '').replaceAll('\\', '/').replace(/^\.\//u, '').split('/');
  if (given === undefined || given === '' || parts.some((part) => part === '' || part === '.' || part === '..'))
    throw new UserError(
      `[io/data] metadata has no usable file_name: ${where}, file_name=${JSON.stringify(given ?? null)}. Give a path below it.`,
    );
  return relative === '.' ? parts.join('/') : `${relative}/${parts.join('/')}`;
}

function linesOf(text: string, path: string): readonly Row[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const where = `${JSON.stringify(path)}, line=${i + 1}`;
    const value = parseJson(line, `[io/data] ${where}`);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new UserError(`[io/data] line is no object: ${where}. Write one such as {"file_name": "a.png", "text": "a cat"}.`);
    const columns = Object.entries(value).map(([key, entry]) => [key, typeof entry === 'string' ? entry : JSON.stringify(entry)] as const);
    return [{ columns: Object.fromEntries(columns), where }];
  });
}
