import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DataSource, Image } from '@langevin/io';
import { emojiAnimatedData, emojiData, encodeImage } from '@langevin/io/node';
import { checkData } from '@langevin/io/testing';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { identityOf, slugOf, splitShortTone, splitTones, toneWords } from '../src/node/data/emoji/identity.ts';
import { rasterizeSvg } from '../src/node/svg.ts';

const RED = '<path fill="#f00" d="M0 0h8v8H0z"/>';
const LEFT_HALF = '<path fill="#00f" d="M0 0h4v8H0z"/>';

async function write(folder: string, files: Readonly<Record<string, unknown>>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return folder;
}

const flat = (colour: readonly [number, number, number], size = 16): Image => ({
  width: size,
  height: size,
  channels: 3,
  data: Uint8Array.from({ length: 3 * size * size }, (_, i) => colour[i % 3]!),
});

const set = (
  icons: object,
  { chars = {}, aliases = {}, categories = {} }: { chars?: object; aliases?: object; categories?: object } = {},
) => ({
  'icons.json': { prefix: 'x', width: 8, height: 8, icons, aliases },
  'chars.json': chars,
  'metadata.json': { categories },
});

/** A film of plain frames, as an animated WebP. */
async function movingWebp(greys: readonly number[], delay: readonly number[]): Promise<Uint8Array> {
  const size = 16;
  const data = Buffer.concat(greys.map((grey) => Buffer.alloc(3 * size * size, grey)));
  return sharp(data, { raw: { width: size, height: size * greys.length, channels: 3, pageHeight: size } })
    .webp({ lossless: true, delay: [...delay], loop: 0 })
    .toBuffer();
}

let folders: Record<string, string>;
beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'langevin-emoji-'));
  const webp = (colour: readonly [number, number, number]) => encodeImage(flat(colour), { format: 'webp' });
  folders = {
    emojilib: await write(join(root, 'lib'), {
      'dist/emoji-en-US.json': {
        '😀': ['grinning_face', 'smile', ':D', 'happy'],
        '👋': ['waving_hand', 'hello', 'hi'],
        '🇩🇪': ['flag_germany'],
      },
    }),
    '@iconify-json/twemoji': await write(
      join(root, 'tw'),
      set(
        {
          'waving-hand': { body: RED },
          'waving-hand-dark-skin-tone': { body: RED },
          'grinning-face': { body: RED },
          'light-skin-tone': { body: RED },
        },
        {
          chars: {
            '1f44b': 'waving-hand',
            '1f44b-1f3ff': 'waving-hand-dark-skin-tone',
            '1f600': 'grinning-face',
            '1f3fb': 'light-skin-tone',
          },
          categories: { 'People & Body': ['waving-hand'], 'Smileys & Emotion': ['grinning-face'] },
        },
      ),
    ),
    '@iconify-json/fluent-emoji-flat': await write(
      join(root, 'flat'),
      set(
        { 'waving-hand': { body: LEFT_HALF }, 'waving-hand-dark': { body: RED }, secret: { body: RED, hidden: true } },
        {
          chars: { '1f44b': 'waving-hand', '1f44b-1f3ff': 'waving-hand-dark' },
          aliases: { mirrored: { parent: 'waving-hand', hFlip: true } },
        },
      ),
    ),
    '@iconify-json/noto-v1': await write(
      join(root, 'noto'),
      set(
        {
          hand: { body: RED },
          'hand-medium-light-skin-tone': { body: RED },
          'flag-for-flag-germany': { body: RED },
          'odd-thing': { body: RED },
        },
        { aliases: { 'waving-hand': { parent: 'hand' }, 'waving-hand-medium-light-skin-tone': { parent: 'hand-medium-light-skin-tone' } } },
      ),
    ),
    '@lobehub/fluent-emoji-3d': await write(join(root, '3d'), {
      'assets/1f44b.webp': await webp([0, 255, 0]),
      'assets/1f600.webp': await webp([255, 255, 0]),
      'assets/263a-fe0f.webp': await webp([1, 2, 3]),
    }),
    '@lobehub/fluent-emoji-anim-1': await write(join(root, 'anim'), {
      'assets/1f44b.webp': await movingWebp([0, 255], [100, 300]),
      'assets/1f44b-1f3ff.webp': await movingWebp([0, 100, 200], [50, 50, 50]),
      'assets/1f600.webp': await webp([9, 9, 9]),
    }),
  };
  return () => rm(root, { recursive: true, force: true });
});

const all = (source: DataSource): string[] => Array.from({ length: source.length }, (_, i) => source.about(i).caption);
const itemOf = (source: DataSource, caption: string): number => all(source).indexOf(caption);

describe('emoji', () => {
  test('keep the contract', async () => {
    await checkData(emojiData, { options: { size: 16 }, folders });
    await checkData(emojiAnimatedData, { options: { size: 16, frames: 4 }, folders });
  });

  test('have one identity in all styles, by code point or by name', async () => {
    const source = await emojiData.open({}, { folders });
    expect(all(source).filter((caption) => caption.startsWith('waving hand'))).toEqual([
      'waving hand, flat style',
      'waving hand, 3D style',
      'waving hand, Twitter style',
      'waving hand, old Android style',
      'waving hand, dark skin tone, flat style',
      'waving hand, dark skin tone, Twitter style',
      'waving hand, medium light skin tone, old Android style',
    ]);
    const groups = new Set(
      Array.from({ length: source.length }, (_, i) => source.about(i))
        .filter(({ caption }) => caption.startsWith('waving hand'))
        .map(({ group }) => group),
    );
    expect([...groups]).toEqual(['1f44b']);
    expect(source.remarks).toEqual([
      'flat: 3 drawings, 2 known by code point, 0 by name, 1 by nothing but their own name',
      '3d: 3 drawings, 3 known by code point, 0 by name, 0 by nothing but their own name',
      'twemoji: 3 drawings, 3 known by code point, 0 by name, 0 by nothing but their own name',
      'noto: 4 drawings, 0 known by code point, 3 by name, 1 by nothing but their own name',
    ]);
    expect(all(source)).toContain('flag germany, old Android style');
    expect(all(source)).toContain('odd thing, old Android style');
    // Nobody has a name for it here.
    expect(all(source)).toContain('U+263A, 3D style');
  });

  test('have attributes, keywords that are words, and options to choose by', async () => {
    const source = await emojiData.open({ styles: ['3d'], keywords: 2, categories: ['Smileys & Emotion'] }, { folders });
    expect(all(source)).toEqual(['grinning face, smile, happy, 3D style']);
    expect(source.about(0).attributes).toEqual({
      style: '3d',
      skinTone: 'none',
      category: 'Smileys & Emotion',
      emoji: 'grinning face',
      keywords: 'smile, happy',
      codePoints: '1f600',
    });
    // As a command line gives them.
    const words = await emojiData.open({ styles: '3d', keywords: 2, categories: 'Smileys & Emotion' } as object, { folders });
    expect(all(words)).toEqual(all(source));
    const plain = await emojiData.open({ skinTones: 'exclude' }, { folders });
    expect(all(plain).some((caption) => caption.includes('tone'))).toBe(false);
    await expect(emojiData.open({ categories: ['Smilies'] }, { folders })).rejects.toThrow(
      /unknown category: "Smilies".*Known: .*Smileys & Emotion/u,
    );
  });

  test('are drawn at the size and on the background that were asked for, and mirrored where the set says so', async () => {
    const source = await emojiData.open({ styles: ['flat'], size: 8, background: '#102030' }, { folders });
    const pixelsOf = async (caption: string): Promise<readonly [string, string]> => {
      const item = await source.load(itemOf(source, caption));
      if (item.kind !== 'picture') throw new Error('no picture');
      expect([item.image.width, item.image.height, item.image.channels]).toEqual([8, 8, 3]);
      const at = (x: number): string => [...item.image.data.subarray(3 * (8 * 4 + x), 3 * (8 * 4 + x) + 3)].join();
      return [at(1), at(6)];
    };
    expect(await pixelsOf('waving hand, flat style')).toEqual(['0,0,255', '16,32,48']);
    expect(await pixelsOf('mirrored, flat style')).toEqual(['16,32,48', '0,0,255']);
  });

  test('ask for the packages of their styles only', () => {
    const names = (styles: ('3d' | 'google')[]) => emojiData.parts({ styles }).map(({ name }) => name);
    expect(names(['3d'])).toEqual(['emojilib', '@iconify-json/twemoji', '@lobehub/fluent-emoji-3d']);
    expect(names(['google'])).toContain('emoji-datasource-google');
    expect(
      emojiAnimatedData
        .parts({ packages: [2, 4] })
        .map(({ name }) => name)
        .slice(2),
    ).toEqual(['@lobehub/fluent-emoji-anim-2', '@lobehub/fluent-emoji-anim-4']);
  });

  test('Google: the installed package, with its skin tones', async () => {
    const google = dirname(new URL(import.meta.resolve('emoji-datasource-google/package.json')).pathname);
    const source = await emojiData.open({ styles: ['google'], size: 16 }, { folders: { ...folders, 'emoji-datasource-google': google } });
    expect(source.length).toBeGreaterThan(3500);
    expect(source.about(itemOf(source, 'waving hand, medium dark skin tone, Google style')).attributes).toMatchObject({
      category: 'People & Body',
      codePoints: '1f44b',
    });
  });
});

describe('emoji that move', () => {
  test('are the moving ones, with frames that stand evenly in their time', async () => {
    const source = await emojiAnimatedData.open({ size: 16, frames: 4 }, { folders });
    expect(all(source)).toEqual(['waving hand, dark skin tone, animated, 3D style', 'waving hand, animated, 3D style']);
    expect(source.remarks).toEqual(['2 of 3 drawings move; the others are left out']);
    const clip = await source.load(1);
    if (clip.kind !== 'clip') throw new Error('no clip');
    // 400 ms in four: the first frame takes one quarter, the second three.
    expect(clip.frames.map((frame) => frame.data[0])).toEqual([0, 255, 255, 255]);
    expect(clip.framesPerSecond).toBeCloseTo(10, 12);
  });
});

describe('names', () => {
  test.each([
    ['1F44B-1F3FF', '1f44b', ['dark']],
    ['0023-fe0f-20e3', '23-20e3', []],
    ['1f9d1-1f3fb-200d-1f91d-200d-1f9d1-1f3ff', '1f9d1-200d-1f91d-200d-1f9d1', ['light', 'dark']],
  ])('of code points: %s', (codes, key, tones) => {
    expect(identityOf(codes)).toEqual({ key, tones });
  });

  test('that are no code points', () => {
    expect([identityOf('waving-hand'), identityOf(''), identityOf('1f44b.webp')]).toEqual([undefined, undefined, undefined]);
  });

  test('of icons: tones at the end, in the middle, and without their words', () => {
    expect(splitTones('waving-hand-medium-light-skin-tone')).toEqual({ slug: 'waving-hand', tones: ['medium-light'] });
    expect(splitTones('man-dark-skin-tone-blond-hair')).toEqual({ slug: 'man-blond-hair', tones: ['dark'] });
    expect(splitTones('couple-light-skin-tone-dark-skin-tone')).toEqual({ slug: 'couple', tones: ['light', 'dark'] });
    expect(splitShortTone('hand-medium-dark')).toEqual({ slug: 'hand', tones: ['medium-dark'] });
    expect([slugOf('Piñata!'), slugOf('keycap_#'), slugOf("woman's hat"), toneWords(['light', 'dark'])]).toEqual([
      'pinata',
      'keycap-hash',
      'womans-hat',
      'light and dark skin tones',
    ]);
  });
});

describe('drawings that reach outside of themselves are refused', () => {
  test.each([
    '<image href="file:///etc/passwd"/>',
    '<use xlink:href="http://127.0.0.1/x.svg#a"/>',
    '<rect fill="url(http://127.0.0.1/#a)"/>',
    '<style>@import "x.css";</style>',
    '<script>1</script>',
    '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    '<rect onload="1"/>',
  ])('%s', async (body) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">${body}</svg>`;
    await expect(rasterizeSvg(svg, 'x', { size: 8, background: [0, 0, 0] })).rejects.toThrow(
      '[io/svg] drawing refers to something outside',
    );
  });

  test('and those that are none', async () => {
    await expect(rasterizeSvg('<svg', 'x', { size: 8, background: [0, 0, 0] })).rejects.toThrow('[io/svg] drawing cannot be drawn');
    await expect(rasterizeSvg(' '.repeat(2 ** 20 + 1), 'x', { size: 8, background: [0, 0, 0] })).rejects.toThrow('too long');
  });
});
