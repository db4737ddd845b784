import {
  blobSource,
  bucketed,
  bytesSource,
  cachedInMemory,
  checksumOf,
  chooseStream,
  decodeSafetensors,
  defineData,
  defineDataSource,
  defineSource,
  encodeGif,
  encodeSafetensors,
  filmPalette,
  filterData,
  joinSources,
  mapSource,
  parseJson,
  parseSafetensorsHeader,
  pickFromData,
  pickFromSource,
  pictureSource,
  prefetched,
  readSafetensorsHeader,
  readSafetensorsSource,
  shuffled,
  splitData,
  splitSource,
  type DataPlugin,
} from '@langevin/io';
import {
  cachedOnDisk,
  cachedPictures,
  checkOutputFile,
  encodeMp4,
  openData,
  openSafetensors,
  readClip,
  readImage,
  readJson,
  resizeImage,
  writeCredits,
  writeFileAtomic,
  writeFilm,
  writeImage,
  writeSafetensors,
  writeSafetensorsFolder,
} from '@langevin/io/node';
import {
  checkCloud,
  defineSplatFormat,
  detectSplatFormat,
  encodeSplats,
  encodeSplats4d,
  encodeSplatScene4d,
  flipAxes,
  readSplats,
  readSplats4d,
  readSplatScene4d,
  splatFormatForName,
  writeSplats,
} from '@langevin/io/splats';
import { errorKind } from '@langevin/tensor';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

const PIXEL = { width: 1, height: 1, channels: 1, data: new Uint8Array(1) } as const;
const CLOUD = {
  count: 0,
  degree: 0,
  ...{ means: new Float32Array(0), quaternions: new Float32Array(0), logScales: new Float32Array(0) },
  ...{ opacityLogits: new Float32Array(0), sh: new Float32Array(0) },
} as const;
const numbers = defineSource({ name: 'numbers', length: 3, load: (i) => i, contentOf: String });
const pictures = pictureSource({ name: 'pictures', pictures: [PIXEL, PIXEL] });

async function all(pieces: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of pieces) continue;
}

/** Text would be a path. */
function noPath(value: unknown): string {
  return typeof value === 'string' ? '' : (value as string);
}

/** Each with what is missing, or is none of it. */
const CALLS: Readonly<Record<string, (value: never) => unknown>> = {
  shuffled: (value) => shuffled(numbers, value),
  'shuffled of': (value) => shuffled(value, { batchSize: 1, seed: 0 }),
  'a position': (value) => shuffled(numbers, { batchSize: 1, seed: 0 }).at(value),
  bucketed: (value) => bucketed(numbers, value),
  prefetched,
  chooseStream: (value) => chooseStream({ a: 1 }, value),
  splitSource: (value) => splitSource(numbers, value),
  'splitSource of': (value) => splitSource(value, { shares: { a: 1 }, seed: 0 }),
  splitData: (value) => splitData(pictures, value),
  cachedInMemory: (value) => cachedInMemory(numbers, value),
  'cachedInMemory of': (value) => cachedInMemory(value, { bytesOf: () => 1 }),
  cachedOnDisk: (value) => cachedOnDisk(numbers, value),
  'cachedOnDisk of': (value) => cachedOnDisk(value, { folder: '.', key: '', encode: () => new Uint8Array(1), decode: () => 1 }),
  cachedPictures: (value) => cachedPictures(pictures, value),
  defineSource,
  defineDataSource,
  defineData,
  mapSource: (value) => mapSource(value, (item) => item),
  'mapSource by': (value) => mapSource(numbers, value),
  pickFromSource: (value) => pickFromSource(numbers, value),
  pickFromData: (value) => pickFromData(pictures, value),
  filterData: (value) => filterData(pictures, value),
  joinSources: (value) => joinSources('all', value),
  encodeGif: (value) => all(encodeGif([PIXEL], value)),
  'encodeGif of': (value) => all(encodeGif(value, { width: 1, height: 1, framesPerSecond: 1 })),
  encodeMp4: (value) => all(encodeMp4([PIXEL], value)),
  filmPalette,
  decodeSafetensors,
  bytesSource,
  blobSource,
  // Lists and maps of nothing are some.
  'checksumOf text': (value) => checksumOf(value, new Map()),
  'checksumOf tensors': (value) => checksumOf([], value),
  parseJson: (value) => parseJson(value, 'x'),
  parseSafetensorsHeader: (value) => parseSafetensorsHeader(value, { fileBytes: 8 }),
  'parseSafetensorsHeader with': (value) => parseSafetensorsHeader(new Uint8Array(8), value),
  readSafetensorsHeader,
  readSafetensorsSource,
  checkCloud,
  defineSplatFormat,
  detectSplatFormat,
  encodeSplats: (value) => encodeSplats(value, { format: 'ply' }),
  'encodeSplats with': (value) => encodeSplats(CLOUD, value),
  encodeSplats4d,
  encodeSplatScene4d,
  flipAxes: (value) => flipAxes(value, [1, -1, -1]),
  'flipAxes by': (value) => flipAxes(CLOUD, value),
  readSplats,
  readSplats4d,
  readSplatScene4d,
  splatFormatForName,
  writeSplats: (value) => writeSplats(value, { format: 'ply' }),
  'encodeSafetensors with': (value) => encodeSafetensors({ w: value }),
  openSafetensors,
  writeSafetensors: (value) => writeSafetensors(noPath(value), {}),
  writeSafetensorsFolder: (value) => writeSafetensorsFolder(noPath(value), {}),
  checkOutputFile: (value) => checkOutputFile(noPath(value)),
  resizeImage: (value) => resizeImage(PIXEL, value),
  writeImage: (value) => writeImage(value, PIXEL),
  writeFilm: (value) => writeFilm(value, [PIXEL], { width: 1, height: 1, framesPerSecond: 1 }),
  writeFileAtomic: (value) => writeFileAtomic(noPath(value), 'x'),
  readJson,
  'readJson to': (value) => readJson('no-such-file.json', value),
  writeCredits: (value) => writeCredits('no-such-folder/credits.json', value),
  openData: (value) => openData({ name: 'x' }, value),
};

describe.each(Object.entries(CALLS))('%s', (_name, call) => {
  it.each([[null], [undefined], [3], ['x'], [{}]])('refuses what is none of it: %j', async (value) => {
    let error: unknown;
    try {
      await call(value as never);
    } catch (caught) {
      error = caught;
    }
    expect(errorKind(error), String(error)).toBe('user');
  });
});

it.each([readImage, readClip])('%o refuses what is neither a path nor bytes', async (read) => {
  for (const value of [null, undefined, 3, {}]) {
    const error: unknown = await read(value as never).catch((caught: unknown) => caught);
    expect(errorKind(error), String(error)).toBe('user');
  }
});

describe('a data set of a plugin', () => {
  const NOTES = [{ caption: 'a', name: 'a', group: 'a', attributes: {} }];
  const plugin = (open: () => unknown): readonly DataPlugin<never>[] => [
    defineData({
      name: 'odd',
      summary: 'Odd.',
      licences: [{ name: 'CC0-1.0', attribution: 'none asked for' }],
      options: v.strictObject({}),
      open: open as never,
    }) as DataPlugin<never>,
  ];

  it.each([[undefined], [null], [5], [{}], [{ length: 3 }], [numbers]])('that opens %o is named', async (opened) => {
    const failed = openData({ name: 'odd' }, { plugins: plugin(() => opened) });
    await expect(failed).rejects.toThrow('[io/data] data set odd opened what is none');
  });

  it('whose parts are no list, or that cannot be opened, is named', async () => {
    const [whole] = plugin(() => undefined);
    await expect(openData({ name: 'odd' }, { plugins: [{ ...whole!, parts: () => 5 as never }] })).rejects.toThrow('data=odd, parts=5');
    await expect(openData({ name: 'odd' }, { plugins: [{ ...whole!, open: 5 as never }] })).rejects.toThrow('data set "odd": this is no');
    await expect(openData({ name: 'odd' }, { plugins: [null as never] })).rejects.toThrow('this is no function: parts=undefined');
  });

  it.each([
    ['picture', undefined, 'picture=undefined'],
    ['picture', {}, 'image=undefined'],
    ['picture', { image: { ...PIXEL, width: 2 } }, 'malformed image'],
    ['clip', { frames: [] }, 'no image given'],
    ['clip', { frames: [PIXEL, 5] }, 'image=5'],
  ])('whose %s has pixels %o is named with the item', async (kind, pixels, says) => {
    const source = defineDataSource({ name: 'odd', kind: kind as 'picture', notes: NOTES, load: () => pixels as never });
    await expect(source.load(0)).rejects.toThrow('[io/data] item "a" of odd:');
    await expect(source.load(0)).rejects.toThrow(says);
  });

  it.each([
    [{ ...NOTES[0], caption: 5 }, 'caption=5'],
    [{ ...NOTES[0], attributes: { label: 5 } }, 'label=5'],
    [{ ...NOTES[0], attributes: undefined }, 'attributes=undefined'],
    [null, 'caption=undefined'],
  ])('whose notes are %o is refused', (notes, says) => {
    expect(() => defineDataSource({ name: 'odd', kind: 'picture', notes: [notes as never], load: () => ({ image: PIXEL }) })).toThrow(says);
  });
});
