import { errorKind } from '@langevin/tensor';
import { bytesInMemory, checkCloud } from '../../splats/cloud.ts';
import { gunzip, gzip } from '../../splats/gzip.ts';
import { readSplats, readSplatScene4d, splatFormats } from '../../splats/registry.ts';
import { collect, sampleFiles } from './sample-files.ts';
import { seededRandom } from './synthetic-cloud.ts';

export interface FuzzOptions {
  /** Name of a format. */
  readonly format: string;
  /** How many mutated files to read. */
  readonly files: number;
  readonly seed: number;
  /** A file that takes longer counts as a hang. @default 10_000 */
  readonly timeLimitMs?: number;
  /**
   * Milliseconds so far, by which files are timed. On a machine that does other things as well, the time that the processor gave to this
   * process tells a slow file from an interruption: `() => { const { user, system } = process.cpuUsage(); return (user + system) / 1000;
   * }`. @default performance.now
   */
  readonly clock?: () => number;
  /** Bytes that the process holds, for example `() => process.memoryUsage().rss`; its growth is reported. @default not measured */
  readonly memory?: () => number;
}

export interface FuzzResult {
  readonly format: string;
  readonly files: number;
  /** Files that gave a cloud, which was checked. */
  readonly accepted: number;
  /** Files refused with an error of Langevin that says why. */
  readonly refused: number;
  /** By `clock`. */
  readonly slowestMs: number;
  /** Growth of `memory` over the run, in bytes, at its highest. */
  readonly memoryGrowth: number;
  /** What else happened: empty when the reader is sound. Each line names the seed and the number of the file. */
  readonly failures: readonly string[];
}

/**
 * Read mutated files: flipped bits, cuts, spliced parts of other files, numbers of headers replaced by hostile ones, and compressed data
 * changed before it is compressed. Every file must give a cloud that stands all checks, and is no larger than the file can account for, or
 * an error that is Langevin's own.
 *
 * @example
 * import { fuzzSplats } from '@langevin/io/testing';
 * const result = await fuzzSplats({ format: 'ply', files: 100, seed: 1 });
 * result.failures; // => []
 */
export async function fuzzSplats({
  format,
  files,
  seed,
  timeLimitMs = 10_000,
  clock = () => performance.now(),
  memory = () => 0,
}: FuzzOptions): Promise<FuzzResult> {
  const random = seededRandom(seed);
  const samples = await Promise.all(
    (await sampleFiles(format)).map(async ({ bytes }) => ({ bytes, plain: isGzip(bytes) ? await unpack(bytes) : null })),
  );
  const failures: string[] = [];
  const before = memory();
  let [accepted, refused, slowestMs, memoryGrowth] = [0, 0, 0, 0];
  for (let index = 0; index < files; index++) {
    const { bytes, plain } = pick(samples, random);
    const other = pick(samples, random).bytes;
    // Damage under the compression reaches further than damage to it, which its checksum finds.
    const file = plain !== null && random() < 0.7 ? await collect(gzip([mutate(plain, other, random)])) : mutate(bytes, other, random);
    const start = clock();
    // Half of the files are read as what they were, whatever they look like now.
    const outcome = await tryRead(file, random() < 0.5 ? format : undefined);
    const took = clock() - start;
    slowestMs = Math.max(slowestMs, took);
    if (index % 64 === 0) memoryGrowth = Math.max(memoryGrowth, memory() - before);
    if (outcome === 'accepted') accepted++;
    else if (outcome === 'refused') refused++;
    else failures.push(`${format}, seed ${seed}, file ${index}: ${outcome}`);
    if (took > timeLimitMs) failures.push(`${format}, seed ${seed}, file ${index}: took ${took.toFixed(0)} ms for ${file.length} bytes`);
  }
  return { format, files, accepted, refused, slowestMs, memoryGrowth, failures };
}

/** Columns and rows for a page of evidence: every format, read `files` times. */
export async function splatFuzzTable(options: Omit<FuzzOptions, 'format'>): Promise<{
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly failures: readonly string[];
}> {
  const results: FuzzResult[] = [];
  for (const { name } of splatFormats) results.push(await fuzzSplats({ ...options, format: name }));
  return {
    header: [
      'format',
      'mutated files',
      'refused with a reason',
      'valid clouds',
      'crashes, hangs, wrong clouds',
      'slowest, ms',
      'memory growth, MiB',
    ],
    rows: results.map((r) => [
      r.format,
      r.files,
      r.refused,
      r.accepted,
      r.failures.length,
      r.slowestMs.toFixed(1),
      (r.memoryGrowth / 2 ** 20).toFixed(0),
    ]),
    failures: results.flatMap(({ failures }) => failures),
  };
}

/** The most that a cloud may take in memory for each byte of its file: deflate makes 1032 of one, and 20 bytes of SPZ become 56. */
const MOST_BYTES_PER_BYTE = 1032 * 2.8;

async function tryRead(file: Uint8Array, format: string | undefined): Promise<string> {
  try {
    const invalid = file.length % 2 === 0 ? 'refuse' : 'drop';
    // As the scene that a 4D container may be.
    const clouds =
      format === '4d'
        ? (await readSplatScene4d(file, { invalid })).assets.map(({ cloud }) => cloud)
        : [await readSplats(file, { ...(format === undefined ? {} : { format }), invalid })];
    clouds.forEach(checkCloud);
    const bytes = clouds.reduce((sum, { count, degree }) => sum + count * bytesInMemory(degree), 0);
    return bytes <= MOST_BYTES_PER_BYTE * file.length ? 'accepted' : `${bytes} bytes of memory from ${file.length} bytes of file`;
  } catch (error) {
    const kind = errorKind(error);
    if ((kind === 'user' || kind === 'unsupported') && /^\[io\/\w+\] /.test((error as Error).message)) return 'refused';
    return String((error as Error).stack ?? error);
  }
}

const HOSTILE_TEXT = [
  '0',
  '-1',
  '1',
  '2',
  '255',
  '4294967295',
  '4294967296',
  '999999999999999',
  '1e9',
  'NaN',
  'list',
  'double',
  'uchar',
  'x',
  '',
  '\n',
  '\r\n',
  '{',
  '"',
  'null',
];
const HOSTILE_WORDS = [
  0, 1, 2, 3, 4, 0x7f, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x7f800000, 0x7fc00000, 0x7f7fffff,
];

/** One to three changes, more of them near the beginning, where there is most to misread. */
function mutate(original: Uint8Array, other: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(original);
  for (let edits = 1 + below(3, random); edits > 0 && bytes.length > 0; edits--) {
    const at = random() < 0.5 ? below(Math.min(64, bytes.length), random) : below(bytes.length, random);
    switch (below(8, random)) {
      case 0:
        bytes[at]! ^= 1 << below(8, random);
        break;
      case 1:
        bytes[at] = below(256, random);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3: // leave a piece out
        bytes = join(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + below(40, random))));
        break;
      case 4: {
        // a piece of another file
        const from = below(other.length, random);
        bytes = join(bytes.subarray(0, at), other.subarray(from, from + below(200, random)), bytes.subarray(at));
        break;
      }
      case 5: {
        // a hostile number, aligned as headers are
        const word = pick(HOSTILE_WORDS, random);
        const place = at - (at % 4);
        for (let i = 0; i < 4 && place + i < bytes.length; i++) bytes[place + i] = word >>> (8 * i);
        break;
      }
      default:
        bytes = replaceWord(bytes, at, pick(HOSTILE_TEXT, random));
    }
  }
  return bytes;
}

/** Replace the word of text around a place; where there is none, insert. */
function replaceWord(bytes: Uint8Array, at: number, text: string): Uint8Array<ArrayBuffer> {
  const isWord = (byte: number | undefined): boolean => byte !== undefined && /[\w.]/.test(String.fromCharCode(byte));
  let [from, to] = [at, at];
  while (at - from < 16 && isWord(bytes[from - 1])) from--;
  while (to - at < 16 && isWord(bytes[to])) to++;
  return join(bytes.subarray(0, from), new TextEncoder().encode(text), bytes.subarray(to));
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  async function* whole(): AsyncGenerator<Uint8Array, void> {
    yield bytes;
  }
  return collect(gunzip(whole(), 'a sample'));
}

function below(n: number, random: () => number): number {
  return Math.floor(random() * n);
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[below(items.length, random)]!;
}
