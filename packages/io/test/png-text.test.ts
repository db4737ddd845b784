import { encodePng, readPngText, withPngText } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';

const picture = { width: 3, height: 2, channels: 3, data: Uint8Array.from({ length: 18 }, (_, i) => 14 * i) } as const;
const plain = await encodePng(picture);

/** A chunk made by hand, put behind the header. */
function withChunk(bytes: Uint8Array, name: string, content: Uint8Array): Uint8Array {
  const head = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const chunk = Buffer.concat([u32(content.length), head, u32(crc32(head))]);
  return Buffer.concat([bytes.subarray(0, 33), chunk, bytes.subarray(33)]);
}
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('notes in PNG files', () => {
  it('hold all of Unicode, and leave the pixels as they are for another decoder', async () => {
    const notes = { parameters: 'ein Kätzchen 🐈‍⬛\nSteps: 4, CFG: 7.5', langevin: JSON.stringify({ seed: 7, prompt: '猫' }), empty: '' };
    const noted = withPngText(plain, notes);
    expect(await readPngText(noted)).toEqual(notes);
    const { data } = await sharp(noted).raw().toBuffer({ resolveWithObject: true });
    expect(new Uint8Array(data)).toEqual(picture.data);
    const { comments } = (await sharp(noted).metadata()) as {
      readonly comments?: readonly { readonly keyword: string; readonly text: string }[];
    };
    expect(comments?.find(({ keyword }) => keyword === 'parameters')?.text).toBe(notes.parameters);
  });

  it('are replaced by keyword, others stay', async () => {
    const noted = withPngText(withPngText(plain, { a: '1', b: '2' }), { b: '3' });
    expect(await readPngText(noted)).toEqual({ a: '1', b: '3' });
    expect(withPngText(noted, {})).toEqual(noted);
  });

  it('are read in each of the three forms', async () => {
    const text = withChunk(plain, 'tEXt', latin('Author\0Zo\u00eb'));
    const packed = withChunk(text, 'zTXt', Buffer.concat([latin('Comment\0\0'), deflateSync(latin('a'.repeat(1000)))]));
    const both = withChunk(packed, 'iTXt', Buffer.concat([latin('Title\0\u0001\0de\0Titel\0'), deflateSync(Buffer.from('Kätzchen'))]));
    expect(await readPngText(both)).toEqual({ Author: 'Zoë', Comment: 'a'.repeat(1000), Title: 'Kätzchen' });
  });

  it.each([
    ['a bomb', 'zTXt', Buffer.concat([latin('k\0\0'), deflateSync(Buffer.alloc(8 * 1024 * 1024))])],
    ['no deflate', 'zTXt', latin('k\0\0hello')],
    ['a cut iTXt', 'iTXt', latin('k\0\0\0de')],
    ['no UTF-8', 'iTXt', latin('k\0\0\0\0\0\u00ff')],
    ['no keyword', 'tEXt', latin('\0text')],
    ['no end of the keyword', 'tEXt', latin('text')],
  ])('that are damaged are left out: %s', async (_, name, content) => {
    expect(await readPngText(withChunk(plain, name, content))).toEqual({});
  });

  it('end where the file is cut', async () => {
    const noted = withPngText(plain, { a: '1', b: '2'.repeat(100) });
    for (let length = 8; length < noted.length; length += 7)
      expect(Object.keys(await readPngText(noted.subarray(0, length))).length).toBeLessThan(3);
  });

  it.each([
    [{ '': 'x' }, /keyword is not one of PNG/u],
    [{ [' a']: 'x' }, /keyword/u],
    [{ ['猫']: 'x' }, /keyword/u],
    [{ ['k'.repeat(80)]: 'x' }, /keyword/u],
    [{ k: 3 as unknown as string }, /note is no text: k=3/u],
    [{ k: 'a\0b' }, /cannot be held/u],
    [{ k: 'x'.repeat(4 * 1024 * 1024 + 1) }, /cannot be held/u],
  ])('are refused: %#', (notes, message) => {
    expect(() => withPngText(plain, notes as Readonly<Record<string, string>>)).toThrow(UserError);
    expect(() => withPngText(plain, notes as Readonly<Record<string, string>>)).toThrow(message);
  });

  it('are of PNG files', async () => {
    for (const other of [undefined, new Uint8Array(3), latin('hello, world')]) {
      expect(() => withPngText(other as Uint8Array, {})).toThrow('not a PNG file');
      await expect(readPngText(other as Uint8Array)).rejects.toThrow('not a PNG file');
    }
  });
});
