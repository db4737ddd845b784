import { fromImages, pictureSource, shuffled, type Image } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const grey = (level: number): Image => ({ width: 2, height: 1, channels: 1, data: Uint8Array.of(level, 100 + level) });
const ten = Array.from({ length: 10 }, (_, i) => grey(i));

describe('pictures in memory', () => {
  test('have labels and classes as attributes, and captions of their class', async () => {
    const source = pictureSource({ name: 'ten', pictures: ten, labels: ten.map((_, i) => i % 2), classes: ['even', 'odd'] });
    expect(source.about(3)).toEqual({ caption: 'odd', name: 'ten 3', group: 'ten 3', attributes: { label: '1', class: 'odd' } });
    expect((await source.load(3)).image).toBe(ten[3]);
  });

  test('without labels have none', () => {
    const source = pictureSource({ name: 'ten', pictures: ten, names: ten.map((_, i) => `n${i}`), captions: ten.map((_, i) => `c${i}`) });
    expect(source.about(9)).toEqual({ caption: 'c9', name: 'n9', group: 'n9', attributes: {} });
  });

  test('give batches whose order is pinned, so that an old checkpoint resumes with the data it would have seen', async () => {
    const stream = shuffled(pictureSource({ name: 'ten', pictures: ten }), { batchSize: 5, seed: 0 });
    const first = await stream.at({ epoch: 0, index: 0 });
    const second = await stream.at(first.next);
    expect([...first.numbers, ...second.numbers]).toEqual([9, 5, 7, 8, 6, 4, 1, 0, 3, 2]);
    const { data, shape } = fromImages(first.items.map(({ image }) => image));
    expect(shape).toEqual([5, 1, 1, 2]);
    expect([...data.subarray(0, 2)]).toEqual([...Float32Array.of(9 / 127.5 - 1, 109 / 127.5 - 1)]);
  });

  test('tell one picture from another by its pixels and its form', async () => {
    const tall: Image = { width: 1, height: 2, channels: 1, data: Uint8Array.of(0, 100) };
    const { contentOf } = pictureSource({ name: 'x', pictures: [grey(0), grey(1), grey(0), tall] });
    const [a, b, c, d] = await Promise.all([0, 1, 2, 3].map((i) => contentOf!(i)));
    expect(a).toBe(c);
    expect(new Set([a, b, d]).size).toBe(3);
  });

  test.each<[string, object, RegExp]>([
    ['no picture', { pictures: [] }, /no image given/u],
    ['alpha', { pictures: [{ width: 1, height: 1, channels: 4, data: new Uint8Array(4) }] }, /picture has alpha: x, picture=0/u],
    ['pixels of another number', { pictures: [{ ...grey(0), width: 3 }] }, /picture 0 of x got a malformed image/u],
    ['too few labels', { labels: [0] }, /pictures=10, labels=1/u],
    ['too few names', { names: ['a'] }, /pictures=10, names=1/u],
    ['a label without class', { labels: ten.map(() => 2), classes: ['a', 'b'] }, /picture=0, label=2, classes=2/u],
    ['a label that is none', { labels: ten.map(() => 0.5) }, /label=0.5/u],
    ['classes without labels', { classes: ['a'] }, /classes are given without labels/u],
    ['two pictures of one name', { names: ten.map(() => 'a') }, /two items have one name/u],
    ['no name', { name: ' ' }, /pictures need a name/u],
  ])('with %s are refused', (_, other, message) => {
    const make = () => pictureSource({ name: 'x', pictures: ten, ...other });
    expect(make).toThrow(UserError);
    expect(make).toThrow(message);
  });
});
