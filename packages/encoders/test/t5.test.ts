import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findEncoder, findTextEncoder, tokenBatch, tokenizerFromFiles, type TextEncoder } from '@langevin/encoders';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { fitWeights, shapesOnly } from '@langevin/nn';
import { compareRuled, type RuledGolden } from '@langevin/nn/testing';
import { namedTensors, numbers, setDefaultEngine, tensor, torchGenerator, UserError, zeros } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distanceBuckets } from '../src/t5/distance-buckets.ts';

interface Case extends RuledGolden {
  readonly class: string;
  readonly ids: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[] | null;
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/t5.json'), 'utf8')) as {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly cases: readonly Case[];
  readonly tokens: readonly { readonly text: string; readonly ids: readonly number[]; readonly all: readonly number[] }[];
  readonly buckets: readonly { readonly buckets: number; readonly most: number; readonly places: readonly number[] }[];
};

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const tiny = { vocab_size: 20, d_model: 8, d_kv: 4, d_ff: 12, num_layers: 2, num_heads: 2, relative_attention_num_buckets: 8 };
const encoderOf = (config: object): TextEncoder<unknown> => findTextEncoder('T5EncoderModel').parse(config);
const idsOf = (rows: readonly (readonly number[])[]) => tensor(rows.flat(), { shape: [rows.length, rows[0]!.length], dtype: 'int32' });

describe("transformers' T5EncoderModel", () => {
  it.each(golden.cases.map((entry) => [entry.name, entry] as const))(
    '%s: features of tokens and layers, and gradients',
    async (_, entry) => {
      const encoder = encoderOf(entry.config);
      const ids = idsOf(entry.ids);
      const mask = entry.mask === null ? {} : { mask: tensor(entry.mask.flat(), { shape: ids.shape, dtype: 'bool' }) };
      const problems = await compareRuled(entry, {
        init: encoder.init,
        inputs: {},
        engine,
        tolerance: golden.tolerance,
        apply: (params) => {
          const { last, states } = encoder.apply(params, ids, mask);
          return { last, ...Object.fromEntries(states.slice(0, -1).map((state, i) => [`state.${i}`, state])) };
        },
      });
      expect(problems).toEqual([]);
    },
  );

  it.each(golden.buckets)('puts distances into $buckets buckets up to $most', ({ buckets, most, places }) => {
    const length = 301;
    const all = distanceBuckets(length, { buckets, most });
    // The first row has what is ahead, the first column what is behind.
    expect([...all.slice(0, length)]).toEqual(places.slice(300));
    expect(Array.from({ length }, (_, i) => all[i * length]!)).toEqual(places.slice(0, 301).reverse());
  });

  it('sees the order of tokens, and none that is masked', async () => {
    const encoder = encoderOf(tiny);
    const params = encoder.init(torchGenerator(3));
    const mask = tensor([1, 1, 1, 0], { shape: [1, 4], dtype: 'bool' });
    const last = async (ids: readonly number[]) => numbers(encoder.apply(params, idsOf([ids]), { mask }).last);
    const [one, masked, turned] = [await last([3, 4, 5, 6]), await last([3, 4, 5, 7]), await last([4, 3, 5, 6])];
    expect(masked.slice(0, 24)).toEqual(one.slice(0, 24));
    const far = turned.slice(16, 24).map((value, i) => Math.abs(value - one[16 + i]!));
    expect(Math.max(...far)).toBeGreaterThan(1e-3);
  });

  it('reads files with the table of tokens under either name, or both, and without the decoder', () => {
    const { rules } = findEncoder('t5');
    const encoder = encoderOf(tiny);
    const own = namedTensors(encoder.init(shapesOnly));
    const entries = new Map([...own].map(([name, { shape }]) => [name, zeros(shape)]));
    const table = entries.get('shared.weight')!;
    const other = new Map([...entries, ['encoder.embed_tokens.weight', table] as const, ['decoder.block.0.x', zeros([1])] as const]);
    const both = fitWeights(encoder.init(shapesOnly), other, { rules: rules! });
    expect(both.account.ignored.map(({ name }) => name).sort()).toEqual(['decoder.block.0.x', 'encoder.embed_tokens.weight']);
    const turned = new Map([...other].reverse());
    expect(
      fitWeights(encoder.init(shapesOnly), turned, { rules: rules! })
        .account.ignored.map(({ name }) => name)
        .sort(),
    ).toEqual(['decoder.block.0.x', 'encoder.embed_tokens.weight']);
    const one = new Map([...other].filter(([name]) => name !== 'shared.weight'));
    expect(fitWeights(encoder.init(shapesOnly), one, { rules: rules! }).account.renamed).toHaveLength(1);
  });

  it.each([
    [{ relative_attention_num_buckets: 6 }, /relative_attention_num_buckets=6/u],
    [{ relative_attention_max_distance: 2 }, /relative_attention_max_distance=2/u],
    [{ feed_forward_proj: 'gated-tanh' }, /feed_forward_proj="gated-tanh"/u],
    [{ d_model: 1e9 }, /d_model=1000000000/u],
    [{ heads: 2 }, /unknown key: "heads"/u],
  ])('is not made of a wrong configuration: %j', (wrong, message) => {
    expect(() => encoderOf({ ...tiny, ...wrong })).toThrow(UserError);
    expect(() => encoderOf({ ...tiny, ...wrong })).toThrow(message);
  });

  it('takes int32 ids of two axes', () => {
    const encoder = encoderOf(tiny);
    const params = encoder.init(torchGenerator(3));
    for (const ids of [zeros([1, 4]), zeros([4], 'int32'), zeros([1, 20_000], 'int32')])
      expect(() => encoder.apply(params, ids)).toThrow(/ids do not fit/u);
  });
});

describe("transformers' fast tokenizer of T5", () => {
  const folder = join(import.meta.dirname, '../../pipelines/test/golden/tiny-t5');
  const json = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const tokenizer = tokenizerFromFiles({ tokenizer: json('tokenizer.json'), config: json('tokenizer_config.json') });

  it.each(golden.tokens.map((entry) => [entry.text.slice(0, 40), entry] as const))('%s', async (_, { text, ids, all }) => {
    expect(tokenizer.encode(text)).toEqual(all);
    const batch = tokenBatch([text], { tokenizer });
    expect((await numbers(batch.ids)).slice(0, ids.length)).toEqual(ids);
    expect((await numbers(batch.ids)).slice(ids.length).every((id) => id === 0)).toBe(true);
    expect((await numbers(batch.mask)).reduce((a, b) => a + b, 0)).toBe(ids.length);
  });
});
