import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenBatch, tokenizerFromFiles, type TokenizerFiles } from '@langevin/encoders';
import { numbers, UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../../pipelines/test/golden/tiny-clip');
const json = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const files: TokenizerFiles = {
  vocabulary: json('vocab.json'),
  merges: readFileSync(join(folder, 'merges.txt'), 'utf8'),
  config: json('tokenizer_config.json'),
  specialTokens: json('special_tokens_map.json'),
};
const { tokens } = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/clip-text.json'), 'utf8')) as {
  readonly tokens: readonly { readonly text: string; readonly ids: readonly number[]; readonly all: readonly number[] }[];
};

describe("transformers' fast tokenizer of CLIP", () => {
  const tokenizer = tokenizerFromFiles(files);

  it.each(tokens.map((entry) => [entry.text.slice(0, 40), entry] as const))('%s', async (_, { text, ids, all }) => {
    expect(tokenizer.encode(text)).toEqual(all);
    const batch = tokenBatch([text], { tokenizer });
    expect((await numbers(batch.ids)).slice(0, ids.length)).toEqual(ids);
    expect((await numbers(batch.ids)).slice(ids.length).every((id) => id === tokenizer.pad)).toBe(true);
    expect((await numbers(batch.mask)).reduce((a, b) => a + b, 0)).toBe(ids.length);
    expect(batch.lost[0] === '').toBe(all.length <= 75);
  });

  it('says what of a text was lost', () => {
    expect(tokenBatch([`${'cat '.repeat(75)}dog hat`, 'cat'], { tokenizer }).lost).toEqual(['dog hat', '']);
  });

  it('fills up with what the files say, and with the end where they say nothing', () => {
    expect(tokenizerFromFiles({ ...files, specialTokens: { ...(files.specialTokens as object), pad_token: { content: '!' } } }).pad).toBe(
      (files.vocabulary as Readonly<Record<string, number>>)['!'],
    );
    const { pad_token: _, ...silent } = files.specialTokens as Readonly<Record<string, unknown>>;
    expect(tokenizerFromFiles({ ...files, specialTokens: silent, config: {} }).pad).toBe(tokenizer.end);
  });

  it.each([
    [{ vocabulary: undefined }, /vocabulary is malformed: content=undefined/u],
    [{ vocabulary: { a: -1 } }, /vocabulary is malformed: "a"=-1/u],
    [{ vocabulary: {} }, /entries=0/u],
    [{ merges: undefined }, /merges are missing/u],
    [{ merges: 'a b c' }, /merge is not of two tokens: line=1/u],
    [{ config: [] }, /file holds no object: file=tokenizer_config\.json/u],
    [{ specialTokens: { bos_token: 'nobody' } }, /token is not one of the vocabulary/u],
    [{ tokenizer: { model: { type: 'Unheard' } } }, /cannot be made of its files/u],
    [{ tokenizer: 3 }, /file=tokenizer\.json/u],
  ])('is not made of damaged files: %#', (damage, message) => {
    const damaged = { ...files, ...damage } as TokenizerFiles;
    expect(() => tokenizerFromFiles(damaged)).toThrow(UserError);
    expect(() => tokenizerFromFiles(damaged)).toThrow(message);
  });

  it('takes texts alone', () => {
    expect(() => tokenBatch([3 as unknown as string], { tokenizer })).toThrow('this is no text: texts[0]=3');
    expect(() => tokenBatch(['a'], { tokenizer, length: 1 })).toThrow(UserError);
  });
});
