import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeGif, filmPalette, type DataSource, type Image } from '@langevin/io';
import {
  cifar10Data,
  clipFolderData,
  encodeImage,
  idxData,
  mnistData,
  movingMnistData,
  pictureFolderData,
  readClip,
  writeImage,
} from '@langevin/io/node';
import { checkData } from '@langevin/io/testing';
import { UnsupportedError, UserError } from '@langevin/tensor';
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
      attributes: { folder: 'more', class: 'more', rating: '5' },
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

  test('in sub-folders has the first of them as its class, in code-unit order, and follows no link to a folder', async () => {
    const folder = await folderOf({ 'dog/10.png': flat(10), 'dog/9.png': flat(9), 'Cat/deep/er/x.png': flat(1), 'ant/a.jpg': flat(0) });
    await writeFile(join(folder, 'dog', 'notes.md'), 'x');
    await symlink(folder, join(folder, 'dog', 'loop'));
    const source = await pictureFolderData.open({ folder, size: 2 }, none);
    const all = Array.from({ length: source.length }, (_, i) => source.about(i));
    expect(all.map(({ name }) => name)).toEqual(['Cat/deep/er/x.png', 'ant/a.jpg', 'dog/10.png', 'dog/9.png']);
    expect(all.map(({ attributes }) => attributes['class'])).toEqual(['Cat', 'ant', 'dog', 'dog']);
    expect(all[0]!.attributes['folder']).toBe('Cat/deep/er');
  });

  test('is grey where that is asked for', async () => {
    const source = await pictureFolderData.open({ folder: await folderOf({ 'a.png': flat(7) }), size: 4, channels: 'grey' }, none);
    expect((await source.load(0)).image).toEqual({ width: 4, height: 4, channels: 1, data: new Uint8Array(16).fill(7) });
  });

  test('that cannot be read is named, or left out with a remark', async () => {
    const whole = await encodeImage(
      { ...flat(9, 32), data: Uint8Array.from({ length: 3072 }, (_, i) => (i * i) % 251) },
      { format: 'png' },
    );
    const folder = await folderOf({ 'a.png': flat(1), 'b.png': whole.subarray(0, whole.length - 200), 'c.png': flat(4) });
    const strict = await pictureFolderData.open({ folder }, none);
    await expect(strict.load(1)).rejects.toThrow(/b\.png" cannot be decoded/u);
    const source = await pictureFolderData.open({ folder, size: 2, onUnreadable: 'skip' }, none);
    expect(captions(source)).toEqual(['a', 'c']);
    expect((await source.load(1)).image.data[0]).toBe(4);
    expect(source.remarks).toEqual([
      expect.stringMatching(/^1 of 3 pictures cannot be read and are left out: b\.png \(.*cannot be decoded/u),
    ]);
    const damaged = await folderOf({ 'a.png': 'not a picture' });
    await expect(pictureFolderData.open({ folder: damaged, onUnreadable: 'skip' }, none)).rejects.toThrow(
      /none of 1 pictures can be read; the first: a\.png/u,
    );
  });

  test('is another content when a file or an option is another', async () => {
    const folder = await folderOf({ 'a.png': flat(1), 'b.png': flat(1) });
    const content = async (size: number, i = 0) => (await pictureFolderData.open({ folder, size }, none)).contentOf!(i);
    const before = await content(4);
    expect(await content(4)).toBe(before);
    expect(await content(8)).not.toBe(before);
    expect(await content(4, 1)).not.toBe(before);
    await writeImage(join(folder, 'a.png'), flat(200, 9));
    expect(await content(4)).not.toBe(before);
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

describe('IDX files', () => {
  const bytesOf = (shape: readonly number[], data: readonly number[] | Uint8Array, type = 8): Uint8Array => {
    const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
    bytes.set([0, 0, type, shape.length]);
    for (const [i, size] of shape.entries()) new DataView(bytes.buffer).setUint32(4 + 4 * i, size);
    bytes.set(data, 4 + 4 * shape.length);
    return bytes;
  };
  const open = async (images: Uint8Array, labels?: Uint8Array, classes?: readonly string[]) => {
    const folder = await folderOf({ i: images, ...(labels && { l: labels }) });
    const options = { images: join(folder, 'i'), ...(labels && { labels: join(folder, 'l') }), ...(classes && { classes }) };
    return { options, source: await idxData.open(options, none) };
  };

  test.each<[string, (b: Uint8Array) => Uint8Array]>([
    ['plain', (b) => b],
    ['gzip', (b) => gzipSync(b)],
  ])('are read %s, with labels', async (_, pack) => {
    const images = pack(bytesOf([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    const { source, options } = await open(images, pack(bytesOf([2], [3, 1])));
    expect((await source.load(1)).image).toEqual({ width: 3, height: 2, channels: 1, data: Uint8Array.of(7, 8, 9, 10, 11, 12) });
    expect([0, 1].map((i) => source.about(i).attributes)).toEqual([
      { label: '3', class: '3' },
      { label: '1', class: '1' },
    ]);
    await checkData(idxData, { options, folders: {} });
  });

  test('hold colours, pictures without labels, and classes with names', async () => {
    const { source } = await open(bytesOf([1, 3, 1, 2], [1, 2, 3, 4, 5, 6]));
    const item = await source.load(0);
    expect([item.image.channels, [...item.image.data], item.attributes]).toEqual([3, [1, 3, 5, 2, 4, 6], {}]);
    const named = await open(bytesOf([1, 1, 1], [1]), bytesOf([1], [1]), ['cat', 'dog']);
    expect(named.source.about(0)).toMatchObject({ caption: 'dog', attributes: { label: '1', class: 'dog' } });
    await expect(open(bytesOf([1, 1, 1], [1]), bytesOf([1], [2]), ['cat', 'dog'])).rejects.toThrow(/label=2, classes=2/u);
    await expect(open(bytesOf([1, 1, 1], [1]), undefined, ['cat'])).rejects.toThrow(/classes are given without labels/u);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['another magic number', Uint8Array.of(1, 0, 8, 3, 0, 0), /magic=01 00 08 03/u],
    ['no bytes', new Uint8Array(0), /magic=none/u],
    ['no dimensions', bytesOf([], []), /does not start like one/u],
    ['a cut header', bytesOf([1, 1, 1], [1]).subarray(0, 10), /truncated inside its header: size=10 bytes, 16 needed/u],
    ['an unknown type', bytesOf([1, 1, 1], [1], 7), /unknown element type=7/u],
    ['too few bytes', bytesOf([2, 1, 1], [1]), /needs 18 bytes, it has 17/u],
    ['too many bytes', bytesOf([1, 1, 1], [1, 2]), /needs 17 bytes, it has 18/u],
    [
      'sizes that would fill the memory',
      bytesOf([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], [1]),
      /announces shape=\[4294967295, 4294967295/u,
    ],
    [
      'cut gzip data',
      gzipSync(
        bytesOf(
          [1, 40, 40],
          Uint8Array.from({ length: 1600 }, (_, i) => (i * i) % 251),
        ),
      ).subarray(0, 120),
      /cannot be unpacked/u,
    ],
    ['a gzip bomb', gzipSync(bytesOf([1, 1, 1], new Uint8Array(1e7))), /cannot be unpacked: .*ERR_BUFFER_TOO_LARGE/u],
    ['one dimension', bytesOf([3], [1, 2, 3]), /pictures are \[N, H, W\], or \[N, C, H, W\]/u],
    ['no picture', bytesOf([0, 2, 2], []), /pictures are \[N, H, W\]/u],
    ['two channels', bytesOf([1, 2, 1, 1], [1, 2]), /with 1 or 3 channels/u],
  ])('with %s are refused', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(UserError);
    await expect(open(bytes)).rejects.toThrow(message);
  });

  test('of other elements than bytes are unsupported, and labels of another split refused', async () => {
    await expect(open(bytesOf([1, 1, 1], [1, 2, 3, 4], 13))).rejects.toThrow(UnsupportedError);
    await expect(open(bytesOf([2, 1, 1], [1, 2]), bytesOf([3], [0, 0, 0]))).rejects.toThrow(/images=2 but labels have shape=\[3\]/u);
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

  test('is read in the order of its numbers; what is cut, mislabelled or not there is refused', async () => {
    const of = (label: number, start: number): Uint8Array =>
      Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : (start + i - 1) % 256));
    const folder = await folderOf({ 'data_batch_10.bin': of(9, 10), 'data_batch_2.bin': Buffer.concat([of(3, 2), of(4, 3)]) });
    const source = await cifar10Data.open({ folder }, none);
    expect([0, 1, 2].map((i) => source.about(i).attributes['class'])).toEqual(['cat', 'deer', 'truck']);
    // The red plane comes first in the file, red first in a pixel.
    expect([...(await source.load(2)).image.data.subarray(0, 3)]).toEqual([10, (10 + 1024) % 256, (10 + 2048) % 256]);
    await expect(cifar10Data.open({ folder, split: 'test' }, none)).rejects.toThrow(/has no test_batch\.bin/u);
    await writeFile(join(folder, 'data_batch_1.bin'), new Uint8Array(3072));
    await expect(cifar10Data.open({ folder }, none)).rejects.toThrow(
      /data_batch_1\.bin" is not whole: size=3072 is not a multiple of 3073/u,
    );
    await writeFile(join(folder, 'data_batch_1.bin'), Buffer.concat([of(0, 0), of(10, 0)]));
    await expect(cifar10Data.open({ folder }, none)).rejects.toThrow(/record 1 has label=10/u);
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
