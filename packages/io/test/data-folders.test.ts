import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeGif, filmPalette, type DataSource, type Image } from '@langevin/io';
import { cifar10Data, clipFolderData, mnistData, movingMnistData, pictureFolderData, readClip, writeImage } from '@langevin/io/node';
import { checkData } from '@langevin/io/testing';
import { describe, expect, test } from 'vitest';
import { parseCsv } from '../src/node/data/csv.ts';
import { readTarGz } from '../src/node/data/tar.ts';
import { sampleClip } from '../src/node/clips.ts';
import { temporaryFolder } from './temporary-folder.ts';

const flat = (grey: number, size = 8): Image => ({
  width: size,
  height: size,
  channels: 3,
  data: new Uint8Array(3 * size * size).fill(grey),
});

async function folderOf(files: Readonly<Record<string, string | Uint8Array | Image>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    if (typeof content === 'string' || content instanceof Uint8Array) await writeFile(path, content);
    else await writeImage(path, content);
  }
  return folder;
}

const captions = (source: DataSource): string[] => Array.from({ length: source.length }, (_, i) => source.about(i).caption);
const none = { folders: {} };

describe('a folder of pictures', () => {
  test('has captions from .txt files, metadata as Hugging Face has it, and names', async () => {
    const folder = await folderOf({
      'a.png': flat(1),
      'a.txt': '  a first\n picture ',
      'my-second_one.png': flat(2),
      'more/b.jpg': flat(3),
      'more/c.webp': flat(4),
      'more/metadata.jsonl': '{"file_name": "b.jpg", "text": "a third", "rating": 5, "group": "g"}\n\n',
      'metadata.csv': 'file_name,text\nmore/c.webp,"a ""fourth"", with commas"\n',
    });
    const source = await pictureFolderData.open({ folder, size: 4 }, none);
    expect(captions(source)).toEqual(['a first picture', 'a third', 'a "fourth", with commas', 'my second one']);
    expect(source.about(1)).toEqual({
      caption: 'a third',
      name: 'more/b.jpg',
      group: 'g',
      attributes: { folder: 'more', rating: '5' },
    });
    expect((await source.load(3)).image.data[0]).toBe(2);
    await checkData(pictureFolderData, { options: { folder, size: 4 }, folders: {} });
  });

  test('without captions is told, left out or refused, as asked', async () => {
    const folder = await folderOf({ 'a.png': flat(1), 'b.png': flat(2), 'b.txt': 'told' });
    const skipping = await pictureFolderData.open({ folder, uncaptioned: 'skip' }, none);
    expect([captions(skipping), skipping.remarks]).toEqual([['told'], ['1 of 2 pictures have no caption and are left out']]);
    await expect(pictureFolderData.open({ folder, uncaptioned: 'refuse' }, none)).rejects.toThrow(/file has no caption: ".*a\.png"/u);
  });

  test('takes the caption from a column that is named', async () => {
    const line = (caption: object): string => JSON.stringify({ file_name: 'a.png', ...caption });
    const folder = await folderOf({ 'a.png': flat(1), 'metadata.jsonl': line({ caption: 'one', other: 'two' }) });
    expect(captions(await pictureFolderData.open({ folder }, none))).toEqual(['one']);
    expect(captions(await pictureFolderData.open({ folder, captionColumn: 'other' }, none))).toEqual(['two']);
    await expect(pictureFolderData.open({ folder, captionColumn: 'x' }, none)).rejects.toThrow(/no such column: .*columns=caption, other/u);
  });

  test.each([
    ['a file that is not there', '{"file_name": "b.png", "text": "x"}', /names a file that is not there: .*line=1/u],
    ['a file outside', '{"file_name": "../a.png", "text": "x"}', /no usable file_name/u],
    ['no file', '{"text": "x"}', /no usable file_name/u],
    ['a list', '["a.png"]', /line is no object/u],
    ['a line that is cut', '{"file_name": "a.png"', /is not valid JSON/u],
  ])('refuses metadata of %s', async (_, text, message) => {
    const folder = await folderOf({ 'a.png': flat(1), 'metadata.jsonl': text });
    await expect(pictureFolderData.open({ folder }, none)).rejects.toThrow(message);
  });

  test('that is empty or not there is refused', async () => {
    await expect(pictureFolderData.open({ folder: await temporaryFolder() }, none)).rejects.toThrow(/has no image/u);
    await expect(pictureFolderData.open({ folder: '/no/such/folder' }, none)).rejects.toThrow(/code=ENOENT/u);
  });
});

describe('a table with commas', () => {
  test('is read as RFC 4180 has it', () => {
    const rows = parseCsv('\uFEFFa,b\r\n1,"x\ny"\r\n"",\n', 'x');
    expect(rows.map(({ columns }) => columns)).toEqual([
      { a: '1', b: 'x\ny' },
      { a: '', b: '' },
    ]);
  });
  test.each([
    ['a,b\n1', /line of another length/u],
    ['a,b\n"1,2', /Close the quotes/u],
    ['a,a\n1,2', /two columns of one name/u],
  ])('%j is refused', (text, message) => {
    expect(() => parseCsv(text, 'x')).toThrow(message);
  });
});

async function gif(greys: readonly number[], framesPerSecond = 10): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const frames = greys.map((grey) => flat(grey));
  const options = { width: 8, height: 8, framesPerSecond, palette: filmPalette(frames) };
  for await (const piece of encodeGif(frames, options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('a folder of clips', () => {
  test('holds films as GIFs and as folders of numbered pictures', async () => {
    const folder = await folderOf({
      'fade.gif': await gif([0, 255]),
      'fade.txt': 'a fade',
      'walk/9.png': flat(9),
      'walk/10.png': flat(10),
      'still.png': flat(1),
      'film.mp4': 'x',
    });
    const source = await clipFolderData.open({ folder, size: 8, framesPerSecond: 4 }, none);
    expect(captions(source)).toEqual(['a fade', 'walk']);
    const [fade, walk] = [await source.load(0), await source.load(1)];
    expect(fade.frames.map((frame) => frame.data[0])).toEqual([0, 255]);
    expect(fade.framesPerSecond).toBeCloseTo(10, 12);
    expect(walk.frames.map((frame) => frame.data[0])).toEqual([9, 10]);
    expect(walk.framesPerSecond).toBeCloseTo(4, 12);
    expect(source.remarks[0]).toMatch(/1 films are left out, film.mp4 the first/u);
    await checkData(clipFolderData, { options: { folder, size: 8, frames: 3 }, folders: {} });
  });

  test('without a clip says how to make one', async () => {
    const folder = await folderOf({ 'film.mp4': 'x' });
    await expect(clipFolderData.open({ folder }, none)).rejects.toThrow(/folder has no clip: .*ffmpeg -i film.mp4/u);
  });
});

describe('clips', () => {
  test('are sampled evenly in time', () => {
    const frames = [0, 1, 2].map((grey) => flat(grey));
    const greys = (count: number): (number | undefined)[] =>
      sampleClip({ frames, delays: [10, 10, 20] }, count).frames.map(({ data }) => data[0]);
    expect([greys(4), greys(2), greys(1)]).toEqual([[0, 1, 2, 2], [1, 2], [2]]);
    expect(sampleClip({ frames, delays: [10, 10, 20] }, undefined).framesPerSecond).toBe(75);
  });

  test('that are none, damaged or too large are refused', async () => {
    const bytes = await gif([0, 255, 9]);
    await expect(readClip(Uint8Array.of(1, 2, 3))).rejects.toThrow(/no animated WebP or GIF/u);
    await expect(readClip(bytes.subarray(0, bytes.length / 2))).rejects.toThrow(/cannot be decoded/u);
    await expect(readClip(bytes, { maxPixels: 100 })).rejects.toThrow(/3 frames of 8x8, maxPixels=100/u);
  });
});

const idx = (shape: readonly number[], data: readonly number[]): Uint8Array =>
  gzipSync(Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((side) => [0, 0, side >> 8, side & 255]), ...data]));

async function mnistFolder(): Promise<string> {
  const images = idx([3, 2, 2], [10, 20, 30, 40, 255, 255, 255, 255, 0, 0, 0, 200]);
  const labels = idx([3], [7, 0, 3]);
  return folderOf({
    'train-images-idx3-ubyte.gz': images,
    'train-labels-idx1-ubyte.gz': labels,
    't10k-images-idx3-ubyte.gz': images,
    't10k-labels-idx1-ubyte.gz': labels,
  });
}

describe('digits', () => {
  test('have captions, from a folder or from fetched files', async () => {
    const folder = await mnistFolder();
    expect(captions(await mnistData.open({ folder }, none))).toEqual(
      ['seven', 'zero', 'three'].map((digit) => `the digit ${digit}, handwritten`),
    );
    const files = Object.fromEntries(mnistData.parts({ split: 'test' }).map(({ name }) => [name, join(folder, name)]));
    const source = await mnistData.open({ split: 'test' }, { folders: files });
    expect((await source.load(0)).image).toEqual({ width: 2, height: 2, channels: 1, data: Uint8Array.of(10, 20, 30, 40) });
    await expect(mnistData.open({}, none)).rejects.toThrow(/part of the data set is not there: part=train-images/u);
    await checkData(mnistData, { options: { folder }, folders: {} });
  });

  test('that move stay on the picture, go straight and turn at its edges', async () => {
    const folder = await mnistFolder();
    const options = { folder, count: 5, frames: 30, size: 16, digits: 1, seed: 2 };
    await checkData(movingMnistData, { options, folders: {} });
    const source = await movingMnistData.open(options, none);
    for (let i = 0; i < source.length; i += 1) {
      const { frames, attributes } = await source.load(i);
      const sum = (frame: Image): number => frame.data.reduce((total, byte) => total + byte, 0);
      expect(new Set(frames.map(sum)).size).toBe(1);
      const [[from, to]] = JSON.parse(attributes['paths']!) as [[[number, number], [number, number]]];
      const step = Math.hypot(to[0] - from[0], to[1] - from[1]);
      // One step is a tenth of the way, or less where it ends at an edge.
      expect(step).toBeLessThan(0.1001);
    }
    const other = await movingMnistData.open({ ...options, seed: 3 }, none);
    expect(other.about(0).attributes).not.toEqual(source.about(0).attributes);
    await expect(movingMnistData.open({ folder: await folderOf({}) }, none)).rejects.toThrow(/ENOENT/u);
  });
});

/** A tar archive of plain files. */
function tar(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const blocks = Object.entries(files).flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('0', 156);
    return [header, Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

describe('CIFAR-10', () => {
  const record = (label: number): Uint8Array => Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : i % 256));
  const names = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);

  test('is the same from its archive and from its folder', async () => {
    const files = Object.fromEntries(names.map((name, i) => [name, record(i)]));
    const folder = await folderOf(files);
    const archive = join(folder, 'cifar-10-binary.tar.gz');
    await writeFile(
      archive,
      tar(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`cifar-10-batches-bin/${name}`, bytes]))),
    );
    const packed = await cifar10Data.open({}, { folders: { 'cifar-10-binary.tar.gz': archive } });
    const plain = await cifar10Data.open({ folder }, none);
    expect(captions(packed)).toEqual(['an airplane', 'an automobile', 'a bird', 'a cat', 'a deer'].map((thing) => `a photo of ${thing}`));
    expect(await packed.load(4)).toEqual(await plain.load(4));
    await checkData(cifar10Data, { options: { folder }, folders: {} });
  });

  test('and archives that are damaged, lack a file or unpack without end are refused', async () => {
    const folder = await folderOf({ 'a.tar.gz': tar({ x: Uint8Array.of(1) }), 'bomb.tar.gz': gzipSync(new Uint8Array(1 << 20)) });
    const read = (name: string, wanted: readonly string[]): Promise<unknown> => readTarGz(join(folder, name), { wanted, maxBytes: 4096 });
    await expect(read('a.tar.gz', ['y'])).rejects.toThrow(/lacks a file: "y"/u);
    await expect(read('bomb.tar.gz', ['y'])).rejects.toThrow(/cannot be unpacked/u);
    const broken = Buffer.alloc(1024);
    broken.write('x', 0);
    broken.write('77777777777\0', 124);
    await writeFile(join(folder, 'broken.tar.gz'), gzipSync(broken));
    await expect(read('broken.tar.gz', ['x'])).rejects.toThrow(/is damaged: entry="x"/u);
  });
});
