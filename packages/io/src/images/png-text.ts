import { shownValue, UserError } from '@langevin/tensor';
import { isPng, pngChunk, pngChunks } from './png-chunk.ts';

/** A note is written by people and read by programs: more than this is neither. */
const LONGEST_TEXT = 4 * 1024 * 1024;
/** Keywords have 1 to 79 characters of Latin-1, printable and without spaces at their ends (ISO/IEC 15948, 11.3.4.2). */
const KEYWORD = /^(?! )[\u0020-\u007e\u00a1-\u00ff]{1,79}(?<! )$/u;

/**
 * A PNG file with notes in it, such as how the picture was made. They are written as `iTXt`, which holds all of Unicode (prompts do), where
 * `tEXt` holds Latin-1 alone; notes of the same keywords that were there before are replaced.
 *
 * @param notes text by keyword: programs of this field look for `parameters`
 * @throws UserError for what is no PNG file, a keyword that the format refuses, or a text above 4 MiB
 * @example
 * const red = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) } as const;
 * const noted = withPngText(await encodePng(red), { parameters: 'ein Kätzchen 🐈' });
 * await readPngText(noted); // => { parameters: 'ein Kätzchen 🐈' }
 */
export function withPngText(bytes: Uint8Array, notes: Readonly<Record<string, string>>): Uint8Array {
  checkPng(bytes, 'withPngText');
  const chunks = Object.entries(notes).map(([keyword, text]) => pngChunk('iTXt', content(keyword, text)));
  const kept: Uint8Array[] = [];
  let from = 0;
  let at = bytes.length;
  for (const { name, content: old, start } of pngChunks(bytes)) {
    // Notes stand before the pixels, where readers that stop early find them.
    if (name === 'IDAT') {
      at = start;
      break;
    }
    if (isText(name) && Object.hasOwn(notes, keywordOf(old))) {
      kept.push(bytes.subarray(from, start));
      from = start + 12 + old.length;
    }
  }
  return joined([...kept, bytes.subarray(from, at), ...chunks, bytes.subarray(at)]);
}

/**
 * The notes in a PNG file by keyword: of `tEXt`, `zTXt` and `iTXt` alike, the first of each keyword. Damaged ones are left out.
 *
 * @throws UserError for what is no PNG file
 */
export async function readPngText(bytes: Uint8Array): Promise<Readonly<Record<string, string>>> {
  checkPng(bytes, 'readPngText');
  const notes = new Map<string, string>();
  for (const { name, content: stored } of pngChunks(bytes)) {
    if (!isText(name)) continue;
    const keyword = keywordOf(stored);
    const text = await textOf(name, stored.subarray(keyword.length + 1)).catch(() => undefined);
    if (text !== undefined && KEYWORD.test(keyword) && !notes.has(keyword)) notes.set(keyword, text);
  }
  return Object.freeze(Object.fromEntries(notes));
}

function checkPng(bytes: unknown, caller: string): asserts bytes is Uint8Array {
  if (bytes instanceof Uint8Array && isPng(bytes)) return;
  const shown = bytes instanceof Uint8Array ? `${bytes.length} bytes that begin otherwise` : shownValue(bytes);
  throw new UserError(`[io/images] ${caller}: not a PNG file: bytes=${shown}. Pass the content of one.`);
}

/** Keyword, uncompressed, no language, no translated keyword, text in UTF-8. */
function content(keyword: string, text: unknown): Uint8Array {
  if (!KEYWORD.test(keyword))
    throw new UserError(
      `[io/images] withPngText: keyword is not one of PNG: keyword=${shownValue(keyword)}. Use 1 to 79 characters of Latin-1, such as `
        + '"parameters".',
    );
  if (typeof text !== 'string')
    throw new UserError(`[io/images] withPngText: note is no text: ${keyword}=${shownValue(text)}. Pass text, of JSON where it is data.`);
  const encoded = new TextEncoder().encode(text);
  if (encoded.length > LONGEST_TEXT || text.includes('\0'))
    throw new UserError(
      `[io/images] withPngText: note cannot be held: keyword=${keyword}, bytes=${encoded.length}. Use at most ${LONGEST_TEXT}, without the `
        + 'character 0.',
    );
  return joined([latin1(keyword), new Uint8Array(5), encoded]);
}

function isText(name: string): boolean {
  return name === 'tEXt' || name === 'zTXt' || name === 'iTXt';
}

function keywordOf(stored: Uint8Array): string {
  const end = stored.indexOf(0);
  return String.fromCharCode(...stored.subarray(0, end < 0 ? 0 : Math.min(end, 80)));
}

async function textOf(name: string, stored: Uint8Array): Promise<string> {
  if (name === 'tEXt') return fromLatin1(stored);
  if (name === 'zTXt') return fromLatin1(await inflated(stored.subarray(1)));
  const [flag] = stored;
  const language = stored.indexOf(0, 2);
  const translated = stored.indexOf(0, language + 1);
  if (language < 0 || translated < 0) throw new UserError('[io/images] readPngText: note is cut: name=iTXt. Save the picture again.');
  const text = stored.subarray(translated + 1);
  return new TextDecoder('utf-8', { fatal: true }).decode(flag === 1 ? await inflated(text) : text);
}

/** At most {@link LONGEST_TEXT}: few compressed bytes may stand for very many. */
async function inflated(bytes: Uint8Array): Promise<Uint8Array> {
  const reader = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > LONGEST_TEXT) {
      await reader.cancel();
      throw new UserError(`[io/images] readPngText: note is too large: bytes>${LONGEST_TEXT}. Save the picture without it.`);
    }
    parts.push(part.value);
  }
  return joined(parts);
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function fromLatin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
