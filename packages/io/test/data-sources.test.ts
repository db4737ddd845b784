import { defineData, defineDataSource, filterData, pickFromData, splitData, type ItemNotes, type PictureItem } from '@langevin/io';
import { captionedShapesData, creditsText, findData, openData, writeCredits } from '@langevin/io/node';
import { checkData } from '@langevin/io/testing';
import { UserError } from '@langevin/tensor';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const grey = (level: number) => ({ image: { width: 1, height: 1, channels: 1, data: Uint8Array.of(level) } }) as const;
const note = (i: number): ItemNotes => ({
  caption: `grey ${i}`,
  name: `g${i}`,
  group: `group ${i % 20}`,
  attributes: { level: String(i) },
});
const greys = (notes: readonly ItemNotes[] = Array.from({ length: 100 }, (_, i) => note(i))) =>
  defineDataSource<PictureItem>({ name: 'greys', kind: 'picture', notes, load: (i) => grey(i) });

describe('a source with captions', () => {
  test('tells about items without loading them', async () => {
    const source = defineDataSource<PictureItem>({
      name: 'x',
      kind: 'picture',
      notes: [note(0)],
      load: () => {
        throw new Error('loaded');
      },
    });
    expect(source.about(0)).toEqual(note(0));
    await expect(source.load(0)).rejects.toThrow('loaded');
  });

  test('is filtered and picked from with its notes', async () => {
    const some = filterData(greys(), ({ attributes }) => Number(attributes['level']) >= 90);
    expect([some.length, some.about(3).caption, (await some.load(3)).image.data[0]]).toEqual([10, 'grey 93', 93]);
    expect(pickFromData(some, [9, 0]).about(0).name).toBe('g99');
    expect(() => filterData(greys(), () => false)).toThrow('[io/data] no item is left');
  });

  test('is split by groups: what is in one part is in no other', () => {
    const { train, test: held } = splitData(greys(), { shares: { train: 0.7, test: 0.3 }, seed: 3 });
    const groups = (part: typeof train) => new Set(Array.from({ length: part.length }, (_, i) => part.about(i).group));
    expect(train.length + held.length).toBe(100);
    expect([...groups(train)].filter((group) => groups(held).has(group))).toEqual([]);
    expect(train.length % 5).toBe(0);
  });

  test.each<[string, readonly ItemNotes[], RegExp]>([
    ['no items', [], /at least one item/u],
    ['no caption', [{ ...note(0), caption: ' ' }], /lacks its caption/u],
    ['no group', [{ ...note(0), group: '' }], /lacks its group/u],
    ['two items of one name', [note(0), note(0)], /two items have one name/u],
  ])('refuses %s', (_, notes, message) => {
    expect(() => greys(notes)).toThrow(message);
  });
});

const licences = [{ name: 'MIT', attribution: 'me' }];
const options = v.strictObject({ count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 20) });
const mine = (other: object = {}) =>
  defineData({
    name: 'mine',
    summary: 'Greys.',
    licences,
    options,
    open: ({ count }) => greys(Array.from({ length: count }, (_, i) => note(i))),
    ...other,
  });

describe('a data set of your own', () => {
  test('is found and opened by name, with options that are checked', async () => {
    const { source, credits } = await openData({ name: 'mine', count: 3 }, { plugins: [mine()] });
    expect([source.length, credits.licences, mine().options]).toEqual([3, licences, ['count']]);
    await expect(openData({ name: 'mine', count: 0 }, { plugins: [mine()] })).rejects.toThrow(
      /options of mine has the wrong form: count=0/u,
    );
    await expect(openData({ name: 'mine', cuont: 3 }, { plugins: [mine()] })).rejects.toThrow(/Did you mean "count"/u);
    expect(() => findData({ name: 'emojy' })).toThrow(/unknown data set: name="emojy". Did you mean "emoji"\? Known: captioned-shapes/u);
    expect(() => findData(undefined)).toThrow(UserError);
  });

  test.each([
    ['a name that is none', { name: 'My Data' }],
    ['no summary', { summary: ' ' }],
    ['no licence', { licences: [] }],
    ['a licence without attribution', { licences: [{ name: 'MIT', attribution: '' }] }],
  ])('is refused with %s', (_, other) => {
    expect(() => mine(other)).toThrow(UserError);
  });

  test('credits go where the model goes', async () => {
    const { credits } = await openData({ name: 'captioned-shapes', count: 2 });
    const path = join(await temporaryFolder(), 'credits.json');
    await writeCredits(path, [credits]);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual([JSON.parse(JSON.stringify(credits))]);
    expect(creditsText(credits)).toBe('Drawn by Langevin; nobody has to be named: CC0-1.0');
  });
});

describe('the kit', () => {
  test('is content with an honest data set', async () => {
    await checkData(mine(), { options: {}, folders: {} });
  });

  let turn = 0;
  test.each<[string, object, RegExp]>([
    [
      'other captions at the second opening',
      { open: () => greys([{ ...note(0), caption: `now ${turn++}` }]) },
      /about\(0\) must be the same/u,
    ],
    [
      'other pixels at the second opening',
      {
        open: () => {
          const level = turn++;
          return defineDataSource<PictureItem>({ name: 'x', kind: 'picture', notes: [note(0)], load: () => grey(level) });
        },
      },
      /same pixels/u,
    ],
    [
      'alpha',
      {
        open: () =>
          defineDataSource<PictureItem>({
            name: 'x',
            kind: 'picture',
            notes: [note(0)],
            load: () => ({ image: { width: 1, height: 1, channels: 4, data: new Uint8Array(4) } }),
          }),
      },
      /grey or RGB/u,
    ],
    [
      'options that are not looked at',
      { options: v.looseObject({ count: v.optional(v.number(), 20) }) },
      /unknown option must be refused/u,
    ],
    [
      'a part without licence',
      {
        licences: [{ ...licences[0], parts: ['other'] }],
        parts: () => [{ kind: 'file', name: 'x.bin', urls: ['http://127.0.0.1/'], bytes: 1, sha256: '0'.repeat(64) }],
      },
      /part x.bin must be under a licence/u,
    ],
  ])('notices %s', async (_, other, message) => {
    await expect(checkData(mine(other), { options: {}, folders: {} })).rejects.toThrow(message);
  });
});

describe('captioned shapes', () => {
  test('keep the contract', async () => {
    await checkData(captionedShapesData, { options: { count: 60, size: 32 }, folders: {} });
  });

  test('are what their captions and facts say: the colour is where the truth says that a shape is', async () => {
    const colours = { red: [220, 40, 40], green: [50, 160, 70], blue: [50, 90, 220], yellow: [240, 200, 40], purple: [140, 70, 180] };
    const { source } = await openData({ name: 'captioned-shapes', count: 120, size: 64, seed: 5, background: 'black' });
    let seen = 0;
    for (let i = 0; i < source.length; i += 1) {
      const item = await source.load(i);
      if (item.kind !== 'picture') throw new Error('no picture');
      const shapes = JSON.parse(item.attributes['shapes']!) as { shape: string; colour: string; size: string; x: number; y: number }[];
      for (const { shape, colour, size, x, y } of shapes) {
        expect(item.caption).toContain(`a ${size} ${colour} ${shape}`);
        // A ring has its colour around its middle.
        if (shape === 'ring' || !(colour in colours)) continue;
        const at = 3 * (Math.floor(y * 64) * 64 + Math.floor(x * 64));
        expect([...item.image.data.subarray(at, at + 3)]).toEqual(colours[colour as keyof typeof colours]);
        seen += 1;
      }
      const [a, b] = shapes;
      if (b === undefined) continue;
      const relation = item.attributes['relation']!;
      const holds = { 'left of': a!.x < b.x, 'right of': a!.x > b.x, above: a!.y < b.y, below: a!.y > b.y }[relation];
      expect(holds).toBe(true);
    }
    expect(seen).toBeGreaterThan(60);
  });

  test('have the area of their shape', async () => {
    const { source } = await openData({ name: 'captioned-shapes', count: 200, size: 128, most: 1, seed: 1, background: 'black' });
    // Of radius 1: pi, 2, 3 sqrt(3)/4, and ten triangles from the middle to neighbouring corners of a star.
    const inner = Math.cos((2 * Math.PI) / 5) / Math.cos(Math.PI / 5);
    const areas = {
      circle: Math.PI,
      square: 2,
      triangle: (3 * Math.sqrt(3)) / 4,
      star: 5 * inner * Math.sin(Math.PI / 5),
      ring: Math.PI * (1 - 0.55 ** 2),
    };
    const seen = new Set<string>();
    for (let i = 0; i < source.length; i += 1) {
      const [{ shape, radius }] = JSON.parse(source.about(i).attributes['shapes']!) as [{ shape: keyof typeof areas; radius: number }];
      if (!(shape in areas) || seen.has(shape)) continue;
      seen.add(shape);
      const item = await source.load(i);
      if (item.kind !== 'picture') throw new Error('no picture');
      const brightest = Math.max(...item.image.data);
      const covered = item.image.data.reduce(
        (sum, _, at) => (at % 3 === 0 ? sum + Math.max(...item.image.data.subarray(at, at + 3)) : sum),
        0,
      );
      // Edges are sampled 4 x 4 times a pixel: a quarter of a pixel along the outline, some 2 % of the smallest shape.
      expect(covered / brightest / (radius * 128) ** 2 / areas[shape]).toBeCloseTo(1, 1);
    }
    expect([...seen].sort()).toEqual(Object.keys(areas).sort());
  });
});
