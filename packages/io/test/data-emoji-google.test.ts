import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource, PictureItem } from '@langevin/io';
import { emojiGoogleData, fetchData, openData, type EmojiGoogleOptions } from '@langevin/io/node';
import { checkData } from '@langevin/io/testing';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

/** The package is a dependency of the tests: nothing is fetched. */
async function open(options: EmojiGoogleOptions): Promise<DataSource<PictureItem>> {
  return (await openData({ name: 'emoji-google', ...options }, { network: 'offline' })).source as DataSource<PictureItem>;
}
const notes = (source: DataSource<PictureItem>) => Array.from({ length: source.length }, (_, i) => source.about(i));
const valuesOf = (source: DataSource<PictureItem>, attribute: string) => [
  ...new Set(notes(source).map(({ attributes }) => attributes[attribute])),
];

describe('the emoji of Google', () => {
  const small = { size: 32, onlySubcategories: ['cat-face', 'monkey-face'] } as const;

  test('keep the contract', async () => {
    const options = { onlySubcategories: ['flag', 'cat-face'] };
    const folders = await fetchData({ name: 'emoji-google', ...options }, { network: 'offline' });
    await checkData(emojiGoogleData, { options, folders });
  });

  test('are left out by the man and woman of a person, and by subcategories', async () => {
    const all = await open({ size: 8, onlySubcategories: ['person-gesture', 'heart'] });
    expect(valuesOf(all, 'name')).toContain('heavy black heart');
    expect(valuesOf(all, 'name')).toHaveLength(all.length);
    const neutral = await open({ size: 8, onlySubcategories: ['person-gesture', 'heart'], genders: 'exclude' });
    expect(neutral.length).toBeLessThan(all.length);
    expect(valuesOf(neutral, 'name').filter((name) => /^(?:man|woman) /u.test(name!))).toEqual([]);
    const hearts = await open({ size: 8, onlySubcategories: ['person-gesture', 'heart'], excludeSubcategories: ['person-gesture'] });
    expect(valuesOf(hearts, 'subcategory')).toEqual(['heart']);
  });

  test('are named, and in the order of the Unicode charts', async () => {
    const source = await open(small);
    const all = notes(source);
    expect(all.map(({ attributes }) => attributes['subcategory'])).toEqual([...Array(9).fill('cat-face'), ...Array(3).fill('monkey-face')]);
    expect([all[0]!.name, all[11]!.name]).toEqual(['smiling cat face with open mouth', 'speak-no-evil monkey']);
  });

  test('lie on the background, and area means four pixels', async () => {
    const [large, half] = [await open({ ...small, size: 64, background: [0, 0, 255] }), await open({ ...small, background: '#0000ff' })];
    expect([...(await large.load(11)).image.data.subarray(0, 3)]).toEqual([0, 0, 255]);
    for (let i = 0; i < half.length; i++) {
      const from = (await large.load(i)).image.data;
      const red = (x: number, y: number): number => from[3 * (y * 64 + x)]!;
      const mean = (red(30, 20) + red(31, 20) + red(30, 21) + red(31, 21)) / 4;
      expect((await half.load(i)).image.data[3 * (10 * 32 + 15)]).toBe(Math.round(mean));
    }
  });

  test('have skin tones where they are asked for', async () => {
    const only = ['hand-fingers-closed'];
    expect((await open({ onlySubcategories: only })).length).toBe(6);
    const all = await open({ onlySubcategories: only, skinTones: 'include' });
    expect(all.length).toBe(36);
    expect([all.itemName(0), all.itemName(1)]).toEqual(['thumbs up sign', 'thumbs up sign (1F3FB)']);
  });

  test('of a category that does not exist are refused, with those that do', async () => {
    await expect(open({ excludeCategories: ['Animals'] })).rejects.toThrow(
      /option names what does not exist: excludeCategories="Animals".*Known: Activities, Animals & Nature/u,
    );
    await expect(open({ onlySubcategories: ['dogs'] })).rejects.toThrow(/onlySubcategories="dogs"/u);
    await expect(open({ excludeSubcategories: ['hart'] })).rejects.toThrow(/excludeSubcategories="hart"\. Did you mean "heart"\?/u);
    await expect(open({ size: 1e9 })).rejects.toThrow('size=1000000000, expected <=4096');
  });

  test('of a list that points outside its folder are refused', async () => {
    const row = {
      name: 'x',
      short_name: 'x',
      image: '../../secret.png',
      category: 'a',
      subcategory: 'b',
      sort_order: 1,
      has_img_google: true,
    };
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'emoji.json'), JSON.stringify([row]));
    await expect(open({ folder })).rejects.toThrow(/0\.image/u);
  });
});
