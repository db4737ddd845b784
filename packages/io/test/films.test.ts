import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeGif, filmPalette, type Image } from '@langevin/io';
import { filmExtensions, writeFilm } from '@langevin/io/node';
import { counterGenerator, UserError } from '@langevin/tensor';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lzwBlocks } from '../src/films/lzw.ts';

const random = (stream: number, length: number): Float64Array =>
  Float64Array.from(counterGenerator({ seed: 11, stream: [stream] }).uniform(length));

function picture(width: number, height: number, value: (pixel: number, channel: number) => number): Image {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => value(Math.floor(i / 3), i % 3));
  return { width, height, channels: 3, data };
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** All frames, decoded by libvips. */
async function decoded(gif: Buffer): Promise<{ readonly data: Buffer; readonly delays: readonly number[] }> {
  const { delay = [] } = await sharp(gif, { pages: -1 }).metadata();
  return { data: await sharp(gif, { pages: -1 }).removeAlpha().raw().toBuffer(), delays: delay };
}

/** Appendix F of GIF89a, read the other way round. */
function unpacked(blocks: Uint8Array): number[] {
  const bits = blocks[0]!;
  const bytes: number[] = [];
  for (let at = 1; blocks[at]! > 0; at += blocks[at]! + 1) bytes.push(...blocks.subarray(at + 1, at + 1 + blocks[at]!));
  const clear = 1 << bits;
  let [size, table, before, bit] = [bits + 1, [] as number[][], undefined as number[] | undefined, 0];
  const out: number[] = [];
  for (;;) {
    let code = 0;
    for (let i = 0; i < size; i++, bit++) code |= ((bytes[bit >> 3]! >> (bit & 7)) & 1) << i;
    if (code === clear + 1) break;
    if (code === clear) {
      [size, table, before] = [bits + 1, [], undefined];
      continue;
    }
    const entry: number[] = code < clear ? [code] : (table[code - clear - 2] ?? [...before!, before![0]!]);
    if (before !== undefined && table.length + clear + 2 < 4096) {
      table.push([...before, entry[0]!]);
      if (table.length + clear + 2 === 1 << size && size < 12) size++;
    }
    out.push(...entry);
    before = entry;
  }
  expect(bit, 'no byte is left over').toBeGreaterThan(8 * (bytes.length - 1));
  return out;
}

describe('the compression of GIF', () => {
  test.each([2, 3, 5, 8])('is undone by its definition: indices of %i bits', (bits) => {
    for (const length of [1, 2, 3, 254, 255, 256, 1000, 30_000]) {
      const noise = Uint8Array.from(random(bits, length), (value) => Math.floor(value * 2 ** bits));
      const runs = Uint8Array.from({ length }, (_, i) => Math.floor(i / 97) % 2 ** bits);
      for (const indices of [noise, runs]) expect(unpacked(lzwBlocks(indices, bits))).toEqual([...indices]);
    }
  });

  test('at every length around the places where codes grow', () => {
    const noise = Uint8Array.from(random(1, 600), (value) => Math.floor(value * 4));
    for (let length = 1; length <= 600; length++) {
      const indices = noise.subarray(0, length);
      expect(unpacked(lzwBlocks(indices, 2)), `length ${length}`).toEqual([...indices]);
    }
  });
});

describe('a GIF', () => {
  test('of no more colours than a palette holds has every pixel', async () => {
    const frames = [0, 1, 2].map((frame) => {
      const levels = random(20 + frame, 3 * 61 * 43);
      return picture(61, 43, (pixel, channel) => 85 * Math.floor(4 * levels[3 * pixel + channel]!));
    });
    const palette = filmPalette(frames);
    expect(palette.length).toBe(3 * 64);
    const { data } = await decoded(await bytesOf(encodeGif(frames, { width: 61, height: 43, framesPerSecond: 10, palette })));
    expect(data.equals(Buffer.concat(frames.map((frame) => frame.data)))).toBe(true);
  });

  test('of one pixel and one colour', async () => {
    const frame = picture(1, 1, () => 255);
    const { data } = await decoded(await bytesOf(encodeGif([frame], { width: 1, height: 1, framesPerSecond: 10 })));
    expect([...data]).toEqual([255, 255, 255]);
  });

  test('of many colours has them on average over a few pixels: dithering moves no tone', async () => {
    const size = 96;
    const frame = picture(size, size, (pixel, channel) => {
      const [x, y] = [(pixel % size) / size, Math.floor(pixel / size) / size];
      return 255 * [x, y, 0.5 + 0.5 * Math.sin(6 * x * y)][channel]!;
    });
    const { data } = await decoded(await bytesOf(encodeGif([frame], { width: size, height: size, framesPerSecond: 10 })));
    let most = 0;
    for (let y = 0; y < size; y += 8) {
      for (let x = 0; x < size; x += 8) {
        for (let channel = 0; channel < 3; channel++) {
          let difference = 0;
          for (let i = 0; i < 64; i++) {
            const at = 3 * ((y + (i >> 3)) * size + x + (i & 7)) + channel;
            difference += data[at]! - frame.data[at]!;
          }
          most = Math.max(most, Math.abs(difference / 64));
        }
      }
    }
    // 256 colours over a curved sheet are 16 apart: without dithering a block is off by half of that.
    expect(most).toBeLessThan(5);
  });

  test.each([10, 24, 30, 50])('lasts as long as it should at %i frames per second', async (framesPerSecond) => {
    const frames = Array.from({ length: 48 }, (_, i) => picture(2, 2, (pixel) => (i * 5 + pixel) % 256));
    const { delays } = await decoded(await bytesOf(encodeGif(frames, { width: 2, height: 2, framesPerSecond })));
    expect(delays).toHaveLength(48);
    expect(delays.reduce((sum, delay) => sum + delay, 0)).toBeCloseTo((48 * 1000) / framesPerSecond, -1);
    for (const delay of delays) expect(Math.abs(delay - 1000 / framesPerSecond)).toBeLessThanOrEqual(10);
  });

  test('is made piece by piece, while frames come', async () => {
    const seen: string[] = [];
    const frames = function* (): Generator<Image> {
      for (let i = 0; i < 3; i++) {
        seen.push(`frame ${i}`);
        yield picture(4, 4, () => 40 * i);
      }
    };
    for await (const piece of encodeGif(frames(), { width: 4, height: 4, framesPerSecond: 10 })) seen.push(`${piece.length > 1}`);
    expect(seen).toEqual(['frame 0', 'true', 'true', 'true', 'frame 1', 'true', 'true', 'frame 2', 'true', 'true', 'false']);
  });
});

describe('a palette', () => {
  test('spends colours where the error is: a rare colour far from the others has its own', () => {
    const levels = random(5, 64 * 64);
    const frame = picture(64, 64, (pixel, channel) => (pixel === 77 ? [250, 10, 10][channel]! : 60 + 90 * levels[pixel]!));
    const palette = filmPalette([frame]);
    const colours = Array.from({ length: palette.length / 3 }, (_, i) => [...palette.subarray(3 * i, 3 * i + 3)]);
    expect(colours).toContainEqual([250, 10, 10]);
  });

  test('is the same each time', () => {
    const levels = random(6, 3 * 4096);
    const frame = picture(64, 64, (pixel, channel) => 255 * levels[3 * pixel + channel]!);
    expect(filmPalette([frame])).toEqual(filmPalette([frame]));
    expect(filmPalette([frame]).length).toBe(768);
  });
});

describe('what is wrong is said', () => {
  const frame = picture(4, 4, () => 0);
  const options = { width: 4, height: 4, framesPerSecond: 10 };
  test.each([
    [{ ...options, width: 0 }, [frame], '[io/films] size is out of range: width=0. Give an integer from 1 to 16384.'],
    [{ ...options, framesPerSecond: 60 }, [frame], '[io/films] rate is out of range: framesPerSecond=60. Give a number from 1 to 50.'],
    [{ ...options, framesPerSecond: NaN }, [frame], 'framesPerSecond=NaN'],
    [{ ...options, palette: new Uint8Array(4) }, [frame], '[io/films] palette has not 2 to 256 colours: bytes=4.'],
    [options, [], '[io/films] film has no frame: frames=0.'],
    [options, [picture(4, 5, () => 0)], '[io/films] frame does not fit the film: frame 4x5 of 3 channels, film 4x4 of 3.'],
  ] as const)('%j', async (given, frames, message) => {
    const encoding = bytesOf(encodeGif(frames, given));
    await expect(encoding).rejects.toThrow(message);
    await expect(encoding).rejects.toBeInstanceOf(UserError);
  });

  test('a palette of nothing, and of transparent pictures', () => {
    expect(() => filmPalette([])).toThrow('[io/films] palette is of no picture: images=0.');
    expect(() => filmPalette([{ width: 1, height: 1, channels: 4, data: new Uint8Array(4) }])).toThrow('channels=4');
  });
});

describe('a film in a file', () => {
  const folderOf = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'langevin-films-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return folder;
  };

  test.each(filmExtensions)('%s appears whole or not at all', async (ending) => {
    const folder = await folderOf();
    const options = { width: 33, height: 23, framesPerSecond: 10 };
    const frames = [0, 1, 2].map((i) => picture(33, 23, (pixel) => (pixel + 50 * i) % 256));
    const broken = function* (): Generator<Image> {
      yield frames[0]!;
      throw new UserError('[test/films] stopped: frame=1. Go on.');
    };
    await expect(writeFilm(join(folder, `film${ending}`), broken(), options)).rejects.toThrow('[test/films] stopped');
    expect(await readdir(folder)).toEqual([]);
    await writeFilm(join(folder, `film${ending}`), frames, options);
    const bytes = await readFile(join(folder, `film${ending}`));
    expect(ending === '.gif' ? bytes.subarray(0, 6).toString() : bytes.subarray(4, 8).toString()).toBe(
      ending === '.gif' ? 'GIF89a' : 'ftyp',
    );
    expect(await readdir(folder)).toEqual([`film${ending}`]);
  });

  test('says what it can write, and what is too large for H.264', async () => {
    await expect(writeFilm('x.webm', [], { width: 4, height: 4, framesPerSecond: 10 })).rejects.toThrow(
      '[io/films] cannot tell the format of "x.webm". End its name in .gif or .mp4.',
    );
    await expect(writeFilm('x.mp4', [], { width: 16_384, height: 16_384, framesPerSecond: 10 })).rejects.toThrow(
      '[io/films] film is too large for H.264: width=16384, height=16384',
    );
  });
});
