import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encoderPlugins, findEncoder, findTextEncoder, type TextEncoder } from '@langevin/encoders';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { fitWeights, shapesOnly } from '@langevin/nn';
import { compareRuled, type RuledGolden } from '@langevin/nn/testing';
import { namedTensors, numbers, setDefaultEngine, tensor, torchGenerator, UnsupportedError, UserError, zeros } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Case extends RuledGolden {
  readonly class: string;
  readonly ids: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[] | null;
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/clip-text.json'), 'utf8')) as {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly cases: readonly Case[];
};

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const tiny = {
  vocab_size: 40,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 9,
  eos_token_id: 39,
};
const encoderOf = (config: object, name = 'clip-text'): TextEncoder<unknown> => findTextEncoder(name).parse(config);

describe("transformers' CLIPTextModel", () => {
  it.each(golden.cases.map((entry) => [entry.name, entry] as const))(
    '%s: features of tokens, layers and texts, and gradients',
    async (_, entry) => {
      const encoder = encoderOf(entry.config, entry.class);
      const ids = tensor(entry.ids.flat(), { shape: [entry.ids.length, entry.ids[0]!.length], dtype: 'int32' });
      const mask = entry.mask === null ? {} : { mask: tensor(entry.mask.flat(), { shape: ids.shape, dtype: 'bool' }) };
      const problems = await compareRuled(entry, {
        init: encoder.init,
        inputs: {},
        engine,
        tolerance: golden.tolerance,
        apply: (params) => {
          const { last, pooled, states } = encoder.apply(params, ids, mask);
          return { last, pooled: pooled!, ...Object.fromEntries(states.map((state, i) => [`state.${i}`, state])) };
        },
      });
      expect(problems).toEqual([]);
    },
  );

  it('sees no token behind', async () => {
    const encoder = encoderOf(tiny);
    const params = encoder.init(torchGenerator(1));
    const last = async (ids: readonly number[]) =>
      numbers(encoder.apply(params, tensor(ids, { shape: [1, ids.length], dtype: 'int32' })).last);
    const [one, other] = [await last([38, 4, 5, 6]), await last([38, 4, 5, 30])];
    expect(one.slice(0, 3 * 16)).toEqual(other.slice(0, 3 * 16));
    expect(one.slice(3 * 16)).not.toEqual(other.slice(3 * 16));
  });
});

describe('the features of a text', () => {
  const pooledPlace = async (config: object, ids: readonly number[]): Promise<number> => {
    const encoder = encoderOf({ ...tiny, ...config });
    const { last, pooled } = encoder.apply(encoder.init(torchGenerator(2)), tensor(ids, { shape: [1, ids.length], dtype: 'int32' }));
    const [rows, whole] = [await numbers(last), await numbers(pooled!)];
    return ids.findIndex((_, i) => whole.every((value, j) => Math.abs(value - rows[i * 16 + j]!) < 1e-5));
  };

  it.each([
    ['of the first end', {}, [38, 3, 39, 5, 39], 2],
    ['of the last token where a text was cut before its end', {}, [38, 3, 4, 5, 6], 4],
    ['of the largest token, the end being said to be 2 in a small vocabulary', { eos_token_id: 2 }, [38, 3, 39, 2, 5], 2],
    ["of 49407, the end being said to be 2 in OpenAI's", { eos_token_id: 2, vocab_size: 49_408 }, [49_406, 3, 49_407, 2, 49_407], 2],
    ['of 49407 where a placeholder has been added', { eos_token_id: 2, vocab_size: 49_409 }, [49_406, 49_408, 3, 49_407, 2], 3],
    ['of token 2 in a vocabulary of another program', { eos_token_id: 2, vocab_size: 70_000 }, [0, 60_000, 2, 49_407, 1], 2],
  ] as const)('are those %s', async (_, config, ids, place) => {
    expect(await pooledPlace(config, ids)).toBe(place);
  });
});

describe('files of every age', () => {
  const encoder = encoderOf(tiny);
  const own = namedTensors(encoder.init(torchGenerator(3)));
  const { rules } = findEncoder('CLIPTextModel');

  it('with the prefix or without, with positions of any type, give the same weights', async () => {
    const short = new Map([...own].map(([name, value]) => [name.replace('text_model.', ''), value]));
    for (const [entries, position] of [
      [own, 'text_model.embeddings.position_ids'],
      [short, 'embeddings.position_ids'],
    ] as const)
      for (const damaged of [zeros([1, 9], 'int64'), zeros([1, 9], 'float16'), { unread: 'F64' }]) {
        const { params, account } = fitWeights(encoder.init(shapesOnly), new Map([...entries, [position, damaged]]), { rules: rules! });
        expect([account.used, account.ignored.length]).toEqual([own.size, 1]);
        for (const [name, value] of namedTensors(params)) expect(value, name).toBe(own.get(name));
      }
  });

  it('without a weight are refused', () => {
    const entries = new Map([...own].slice(1));
    expect(() => fitWeights(encoder.init(shapesOnly), entries, { rules: rules! })).toThrow(UserError);
  });
});

describe('what does not fit', () => {
  it.each([
    [{ num_attention_heads: 3 }, /heads do not divide the features/u],
    [{ vocab_size: 0 }, /vocab_size=0/u],
    [{ hidden_act: 'quickgelu' }, /hidden_act="quickgelu".*Did you mean "quick_gelu"/u],
    [{ num_hidden_layers: 1e6 }, /num_hidden_layers=1000000/u],
    [{ hidden_sizes: 3 }, /unknown key: "hidden_sizes"/u],
  ])('configuration %j', (config, message) => {
    expect(() => encoderOf({ ...tiny, ...config })).toThrow(UserError);
    expect(() => encoderOf({ ...tiny, ...config })).toThrow(message);
  });

  it('tokens of another form', () => {
    const encoder = encoderOf(tiny);
    const params = encoder.init(shapesOnly);
    for (const ids of [zeros([1, 10], 'int32'), zeros([1, 4]), zeros([4], 'int32'), zeros([1, 0], 'int32')])
      expect(() => encoder.apply(params, ids)).toThrow('Give int32 [N, L] with L from 1 to 9.');
  });

  it('classes that are not known', () => {
    expect(() => findEncoder('CLIPTextModl')).toThrow(UnsupportedError);
    expect(() => findEncoder('CLIPTextModl')).toThrow('Did you mean "CLIPTextModel"?');
    expect(() => findEncoder(undefined as unknown as string)).toThrow(UserError);
    expect(encoderPlugins.map(({ name }) => name)).toContain('clip-text');
  });
});
