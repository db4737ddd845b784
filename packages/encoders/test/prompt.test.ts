import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodePrompts,
  parsePrompt,
  planPrompt,
  promptDialects,
  tokenizerFromFiles,
  withPlaceholders,
  type PromptDialect,
} from '@langevin/encoders';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { numbers, setDefaultEngine, tensor, UserError, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../../pipelines/test/golden/tiny-clip');
const json = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const tokenizer = tokenizerFromFiles({
  vocabulary: json('vocab.json'),
  merges: readFileSync(join(folder, 'merges.txt'), 'utf8'),
  config: json('tokenizer_config.json'),
  specialTokens: json('special_tokens_map.json'),
});

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const shown = (text: string, dialect: PromptDialect): readonly (readonly [string, number])[] =>
  parsePrompt(text, dialect).map((piece) => [piece.text, Number(piece.weight.toFixed(6))]);

describe('weights in prompts', () => {
  it.each<readonly [PromptDialect, string, readonly (readonly [string, number])[]]>([
    ['plain', '((a:1.2)) [b] c++', [['((a:1.2)) [b] c++', 1]]],
    [
      'a1111',
      'a ((red)) cat',
      [
        ['a ', 1],
        ['red', 1.21],
        [' cat', 1],
      ],
    ],
    [
      'a1111',
      '(red:1.5) [cat]',
      [
        ['red', 1.5],
        [' ', 1],
        ['cat', 0.909091],
      ],
    ],
    [
      'a1111',
      '(a (b:1.5) c:0.5)',
      [
        ['a ', 0.5],
        ['b', 0.75],
        [' c', 0.5],
      ],
    ],
    ['a1111', String.raw`\(a\) \[b\] c\\`, [['(a) [b] c\\', 1]]],
    ['a1111', '(a:x)', [['a:x', 1.1]]],
    ['a1111', '(a b', [['(a b', 1]]],
    ['a1111', 'a) :1.5) b]', [['a) :1.5) b]', 1]]],
    [
      'a1111',
      '(a [b) c]',
      [
        ['a [b', 1.1],
        [' c]', 1],
      ],
    ],
    [
      'a1111',
      '(a:nan) (b:)',
      [
        ['a:nan', 1.1],
        [' ', 1],
        ['b:', 1.1],
      ],
    ],
    ['a1111', '(a:1e300)', [['a', 1e6]]],
    ['a1111', '(a:-1)', [['a', -1]]],
    ['a1111', '', [['', 1]]],
    [
      'comfyui',
      '((a:1.2) b:1.5) [c]',
      [
        ['a', 1.2],
        [' b', 1.5],
        [' [c]', 1],
      ],
    ],
    [
      'comfyui',
      '((a) b)',
      [
        ['a', 1.21],
        [' b', 1.1],
      ],
    ],
    [
      'compel',
      'a red++ cat-, sat',
      [
        ['a ', 1],
        ['red', 1.21],
        [' ', 1],
        ['cat', 0.9],
        [', sat', 1],
      ],
    ],
    [
      'compel',
      '(a red cat)1.3 (b)-- (c)',
      [
        ['a red cat', 1.3],
        [' ', 1],
        ['b', 0.81],
        [' c', 1],
      ],
    ],
    ['compel', String.raw`well-known a - b c\+ \(d\)`, [['well-known a - b c+ (d)', 1]]],
    [
      'compel',
      '(a b+)2',
      [
        ['a ', 2],
        ['b', 2.2],
      ],
    ],
  ])('%s: %s', (dialect, text, pieces) => {
    expect(shown(text, dialect)).toEqual(pieces);
  });

  it('what no one would write takes no time, and gives finite weights', () => {
    const before = performance.now();
    for (const hostile of [
      '('.repeat(1e5),
      '('.repeat(5e4) + ')'.repeat(5e4),
      '(['.repeat(5e4) + ')'.repeat(5e4),
      '['.repeat(5e4) + ']'.repeat(5e4),
      'a+'.repeat(5e4),
      'a '.repeat(2e5),
      `a${'+'.repeat(1e5)}`,
      `(a)${'+'.repeat(1e5)}`,
      '(a:1'.repeat(25_000),
      ':1)'.repeat(33_000),
      '\ud800('.repeat(1000),
    ])
      for (const dialect of promptDialects)
        for (const { weight } of parsePrompt(hostile, dialect)) if (!Number.isFinite(weight)) throw new Error(`${dialect}: ${weight}`);
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});

const own = (ids: readonly number[], mark: readonly number[]): readonly number[] => ids.filter((_, i) => mark[i]! >= 0);
const plan = (text: string, options: object = {}) => planPrompt(text, { tokenizer, windows: 'all', ...options });
const counts = (text: string): readonly number[] => plan(text).windows.map(({ ids, pieces }) => own(ids, pieces).length);

describe('prompts in windows', () => {
  it.each([74, 75, 76, 150, 151])('%d tokens fill windows of 75, each between its ends', (count) => {
    const { windows, lost } = plan('cat '.repeat(count));
    expect(lost).toBe('');
    expect(windows).toHaveLength(Math.ceil(count / 75));
    expect(windows.every(({ ids }) => ids.length === 77 && ids[0] === tokenizer.begin && ids.includes(tokenizer.end!))).toBe(true);
    expect(windows.reduce((sum, { pieces }) => sum + pieces.filter((piece) => piece >= 0).length, 0)).toBe(count);
  });

  it('are parted at BREAK, and behind the last comma of the 20 tokens before an end', () => {
    expect(counts('a cat BREAK a dog')).toEqual([2, 2]);
    expect(counts('BREAKFAST')).toHaveLength(1);
    // A comma that takes the 56th place is 20 tokens from the end, one before it is too far.
    expect(counts(`${'cat '.repeat(55)}, ${'dog '.repeat(30)}`)).toEqual([56, 30]);
    expect(counts(`${'cat '.repeat(54)}, ${'dog '.repeat(30)}`)).toEqual([75, 10]);
    expect(counts(`${'cat '.repeat(75)}, dog`)).toEqual([75, 2]);
    expect(plan(`${'cat '.repeat(60)}, a dog ${'hat '.repeat(20)}`).parted[0]).toMatch(/^a dog hat/u);
  });

  it('without, what does not fit is lost, and said', () => {
    const { windows, lost } = plan(`${'cat '.repeat(75)}dog hat`, { windows: 'one' });
    expect([windows.length, lost]).toEqual([1, 'dog hat']);
  });

  it('do not part a word of several vectors', () => {
    const wide = withPlaceholders(tokenizer, [{ text: '<it>', tokens: 3 }]);
    const { windows } = plan(`${'cat '.repeat(73)}<it> dog`, { tokenizer: wide });
    expect(windows.map(({ ids, pieces }) => own(ids, pieces).length)).toEqual([73, 4]);
    expect(plan(`${'cat '.repeat(72)}<it> dog`, { tokenizer: wide }).windows.map(({ ids, pieces }) => own(ids, pieces).length)).toEqual([
      75, 1,
    ]);
  });

  it('words are not found within longer ones', () => {
    const wide = withPlaceholders(tokenizer, [
      { text: 'cat', tokens: 1 },
      { text: 'cat2', tokens: 2 },
    ]);
    const { vocabulary } = tokenizer;
    expect(wide.encode('cat2 cat')).toEqual([vocabulary + 1, vocabulary + 2, vocabulary]);
    expect(wide.encode('concatenate cats cat_2')).toEqual(tokenizer.encode('concatenate cats cat_2'));
  });

  it('refuses what is no prompt', () => {
    expect(() => plan(3 as unknown as string)).toThrow(UserError);
    expect(() => plan('a', { dialect: 'b' })).toThrow(/Known: plain, a1111/u);
    expect(() => plan('cat '.repeat(20_000))).toThrow(/text is too long: windows=/u);
    expect(plan('\ud800 \udc00').windows).toHaveLength(1);
    expect(plan('').windows).toHaveLength(1);
  });
});

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/prompts.json'), 'utf8')) as {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly dialect: PromptDialect;
    readonly texts: readonly string[];
    readonly shape: readonly number[];
    readonly text: readonly number[];
    readonly pooled: readonly number[];
  }[];
};

/** The encoder of the golden file: each token's row is the running mean of those that it sees, bent. */
async function encode(ids: Tensor, mask?: Tensor): Promise<{ readonly text: Tensor; readonly pooled: Tensor }> {
  const [count, length] = ids.shape as [number, number];
  const all = await numbers(ids);
  const seen = mask && (await numbers(mask));
  const size = 4;
  const text = new Float32Array(count * length * size);
  for (let n = 0; n < count; n++)
    for (let d = 0, sum = 0, many = 0; d < size; d++, sum = 0, many = 0)
      for (let l = 0; l < length; l++) {
        const at = n * length + l;
        if (seen === undefined || seen[at] === 1) {
          sum += Math.sin(0.37 * all[at]! + 1.3 * d + 0.5);
          many++;
        }
        text[at * size + d] = 0.4 + Math.sin((2 * sum) / Math.max(many, 1) + 0.01 * l + 0.1 * all[at]!);
      }
  return {
    text: tensor(text, { shape: [count, length, size] }),
    pooled: tensor(
      Float32Array.from({ length: count }, (_, n) => text[n * length * size]! + text[(n + 1) * length * size - 1]!),
      { shape: [count, 1] },
    ),
  };
}

describe('features of weighted prompts in windows, by the published formulas in torch', () => {
  it.each(golden.cases.map((entry) => [`${entry.dialect}: ${entry.texts.join(' | ').slice(0, 60)}`, entry] as const))(
    '%s',
    async (_, entry) => {
      const plans = entry.texts.map((text) => plan(text, { dialect: entry.dialect }));
      const { text, pooled } = await encodePrompts(plans, { tokenizer, encode });
      expect(text.shape).toEqual(entry.shape);
      const worst = (ours: ArrayLike<number>, theirs: readonly number[]): number =>
        Math.max(...theirs.map((value, i) => Math.abs(value - ours[i]!) / (1 + Math.abs(value))));
      // The first, the last, and each 7th number of the features.
      const ours = Array.from(await numbers(text)).filter((_, i) => i % 7 === 0);
      expect(ours).toHaveLength(entry.text.length);
      expect(worst(ours, entry.text)).toBeLessThan(golden.tolerance);
      expect(worst(await numbers(pooled), entry.pooled)).toBeLessThan(golden.tolerance);
    },
  );

  it('is the same for a text alone and beside others', async () => {
    const texts = ['a (red:1.4) cat', '[dog] BREAK hat'];
    for (const dialect of promptDialects) {
      const plans = texts.map((text) => plan(text, { dialect }));
      const both = Array.from(await numbers((await encodePrompts(plans, { tokenizer, encode })).text));
      const alone = await Promise.all(
        plans.map(async (one) => Array.from(await numbers((await encodePrompts([one], { tokenizer, encode, windows: 2 })).text))),
      );
      alone.flat().forEach((value, i) => expect(value).toBeCloseTo(both[i]!, 5));
    }
  });
});
