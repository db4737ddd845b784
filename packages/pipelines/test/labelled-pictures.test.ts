import { defineDataSource, type ClipItem, type Image, type PictureItem } from '@langevin/io';
import { labelledPictures, pictureBatches } from '@langevin/pipelines';
import { data } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { describeData } from '../src/data-description.ts';

interface Given {
  readonly name: string;
  readonly image: Image;
  readonly attributes?: Readonly<Record<string, string>>;
}

const grey = (...pixels: readonly number[]): Image => ({ width: pixels.length, height: 1, channels: 1, data: Uint8Array.from(pixels) });

function sourceOf(given: readonly Given[], name = 'greys') {
  return defineDataSource<PictureItem>({
    name,
    kind: 'picture',
    notes: given.map(({ name: item, attributes = {} }) => ({ caption: item, name: item, group: item, attributes })),
    load: (i) => ({ image: given[i]!.image }),
  });
}

const animals: readonly Given[] = [
  { name: 'rex', image: grey(0, 100), attributes: { kind: 'dog', size: '10', order: 'carnivore' } },
  { name: 'tom', image: grey(100, 200), attributes: { kind: 'cat', size: '9', order: 'carnivore' } },
  { name: 'flo', image: grey(200, 255), attributes: { kind: 'cow', size: '100', order: 'ungulate' } },
  { name: 'max', image: grey(7, 9), attributes: { kind: 'dog', size: '9', order: 'carnivore' } },
];

describe('pictures with classes', () => {
  it('are labelled by an attribute, in the order of names or, of numbers, by size; classes may be grouped', () => {
    const byKind = labelledPictures(sourceOf(animals), { labels: 'kind', categories: 'order' });
    expect(byKind.classes).toEqual(['cat', 'cow', 'dog']);
    expect([...byKind.labels]).toEqual([2, 0, 1, 2]);
    expect(byKind.categories).toEqual([
      { name: 'carnivore', classes: [0, 2] },
      { name: 'ungulate', classes: [1] },
    ]);
    expect(byKind.alsoKnownAs).toEqual([['9', 'carnivore'], ['100', 'ungulate'], ['carnivore']]);
    expect(labelledPictures(sourceOf(animals), { labels: 'size' }).classes).toEqual(['9', '10', '100']);
    const same = ['1', '01', '1.0'].map((size, i) => ({ ...animals[i]!, attributes: { size } }));
    for (const order of [same, [...same].reverse()])
      expect(labelledPictures(sourceOf(order), { labels: 'size' }).classes).toEqual(['01', '1', '1.0']);
    expect(labelledPictures(sourceOf(animals)).classes).toBeNull();
  });

  it('are refused with an attribute that one of them lacks, and clips are no pictures', () => {
    expect(() => labelledPictures(sourceOf(animals), { labels: 'knd' })).toThrow(
      '[pipelines/data] a picture has no such attribute: attribute=knd, data=greys, item=rex. Did you mean "kind"? '
        + 'It has: kind, size, order.',
    );
    for (const kind of ['', 'k'.repeat(257)])
      expect(() => labelledPictures(sourceOf([{ ...animals[0]!, attributes: { kind } }]), { labels: 'kind' })).toThrow(
        '[pipelines/data] a class or category has no name that models keep: kind="',
      );
    expect(() => labelledPictures(sourceOf(animals), { categories: 'order' })).toThrow('there is nothing to group: categories=order');
    const clip = defineDataSource<ClipItem>({
      name: 'film',
      kind: 'clip',
      notes: [{ caption: 'a', name: 'a', group: 'a', attributes: {} }],
      load: () => ({ frames: [grey(1)], framesPerSecond: 1 }),
    });
    expect(() => labelledPictures(clip)).toThrow('[pipelines/data] data are not pictures: data=film, kind=clip.');
  });
});

describe('batches of pictures', () => {
  const batches = (flip: 'none' | 'horizontal', given = animals) =>
    pictureBatches(labelledPictures(sourceOf(given), { labels: 'kind' }), {
      form: { channels: 1, height: 1, width: 2 },
      batchSize: 4,
      seed: 5,
      flip,
      label: { none: 3 },
    });

  it('are pixels in [-1, 1] with labels, and what stands for none; each is a function of its position', async () => {
    const batch = await batches('none')({ epoch: 0, index: 0 });
    const order = batch.items.map((name) => animals.findIndex((animal) => animal.name === name));
    expect([...order].sort()).toEqual([0, 1, 2, 3]);
    expect(batch.shape).toEqual([4, 1, 1, 2]);
    expect(Array.from(batch.x0, (x) => Math.round((x + 1) * 127.5))).toEqual(order.flatMap((i) => [...animals[i]!.image.data]));
    expect([...(await data(batch.conditions!['label']!))]).toEqual(order.map((i) => [2, 0, 1, 2][i]));
    expect([...(await data(batch.nulls!['label']!))]).toEqual([3, 3, 3, 3]);
    expect(batch.next).toEqual({ epoch: 1, index: 0 });
    const again = await batches('none')({ epoch: 0, index: 0 });
    expect(again.x0).toEqual(batch.x0);
  });

  it('mirror half of the pictures, decided anew in each pass, the same at each resume', async () => {
    const [plain, flipped, resumed] = [batches('none'), batches('horizontal'), batches('horizontal')];
    let mirrored = 0;
    for (let epoch = 0; epoch < 50; epoch += 1) {
      const [a, b] = [await plain({ epoch, index: 0 }), await flipped({ epoch, index: 0 })];
      if (epoch > 40) expect((await resumed({ epoch, index: 0 })).x0).toEqual(b.x0);
      for (let i = 0; i < 4; i += 1) {
        const [before, after] = [a.x0.subarray(2 * i, 2 * i + 2), b.x0.subarray(2 * i, 2 * i + 2)];
        expect([...before].sort()).toEqual([...after].sort());
        if (after[0] !== before[0]) mirrored += 1;
      }
    }
    // 200 fair coins: six standard deviations are 42.
    expect(Math.abs(mirrored - 100)).toBeLessThan(42);
  });

  it('refuse a picture of another form, by name', async () => {
    const odd = batches('none', [...animals.slice(0, 3), { ...animals[3]!, image: grey(1, 2, 3) }]);
    await expect(odd({ epoch: 0, index: 0 })).rejects.toThrow(
      '[pipelines/data] a picture does not fit the network: max is [1, 1, 3], the network takes [1, 1, 2].',
    );
  });
});

describe('the description of the data of a run', () => {
  const described = (given: readonly Given[], name?: string) => describeData(labelledPictures(sourceOf(given, name), { labels: 'kind' }));
  const [rex, tom, flo, max] = animals as readonly [Given, Given, Given, Given];

  it('is the same for data that lie elsewhere and bear other names', async () => {
    const { description } = await described(animals);
    const moved = await described(
      animals.map((animal, i) => ({ ...animal, name: `picture ${i}` })),
      'moved',
    );
    expect(moved.difference(JSON.parse(JSON.stringify(description)))).toBeUndefined();
  });

  it.each<[readonly Given[], string]>([
    [[...animals, { name: 'ant', image: grey(1, 2), attributes: { ...rex.attributes, kind: 'ant' } }], 'class added: "ant"'],
    [[rex, { ...tom, attributes: { ...tom.attributes, kind: 'fox' } }, flo, max], 'class added: "fox", class gone: "cat"'],
    [[rex, tom, flo], 'item gone: "max"'],
    [[rex, { ...tom, image: grey(100, 201) }, flo, max], 'pixels or label of item 1 ("tom") are others'],
    [[rex, tom, flo, { ...max, attributes: { ...max.attributes, kind: 'cat' } }], 'pixels or label of item 3 ("max") are others'],
    [animals.map((animal) => ({ ...animal, image: grey(1, 2, 3) })), 'images were [1, 1, 2], now [1, 1, 3]'],
  ])('%# names the difference', async (given, difference) => {
    const { description } = await described(animals);
    expect((await described(given)).difference(JSON.parse(JSON.stringify(description)))).toBe(difference);
  });

  it('that is damaged says so', async () => {
    expect((await described(animals)).difference({})).toBe('their description is damaged');
  });
});
