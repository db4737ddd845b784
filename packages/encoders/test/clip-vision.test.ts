import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findImageEncoder, findTextEncoder, picturePreparation } from '@langevin/encoders';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { resizeBicubic, type Image } from '@langevin/io';
import { compareRuled, numbersOf, type RuledGolden } from '@langevin/nn/testing';
import { float32Data, setDefaultEngine, torchGenerator, UserError, zeros } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Case extends RuledGolden {
  readonly config: { readonly vision_config?: object; readonly image_size: number };
}
type Size = readonly [width: number, height: number];

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/clip-vision.json'), 'utf8')) as {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly cases: readonly Case[];
  readonly resized: readonly { readonly from: Size; readonly to: Size; readonly bytes: string }[];
  readonly prepared: readonly {
    readonly from: Size;
    readonly config: object;
    readonly shape: readonly number[];
    readonly values: readonly number[];
  }[];
};

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

/** As in the golden script. */
function pictureOf([width, height]: Size): Image {
  const byte = (i: number): number => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return (40 * x + 24 * y + 80 * c + 3 * x * y) % 256;
  };
  return { width, height, channels: 3, data: Uint8Array.from({ length: 3 * width * height }, (_, i) => byte(i)) };
}

const tiny = {
  hidden_size: 16,
  intermediate_size: 24,
  projection_dim: 12,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  image_size: 8,
  patch_size: 4,
};

describe("transformers' CLIPVisionModelWithProjection", () => {
  it.each(golden.cases.map((entry) => [entry.name, entry] as const))(
    '%s: features of tokens, layers and pictures, and gradients',
    async (_, entry) => {
      const encoder = findImageEncoder('CLIPVisionModelWithProjection').parse(entry.config);
      const { image_size: side } = entry.config;
      const problems = await compareRuled(entry, {
        init: encoder.init,
        inputs: { pixels: numbersOf(`${entry.name}/pixels`, [2, 3, side, side]) },
        engine,
        tolerance: golden.tolerance,
        apply: (params, { pixels }) => {
          const { last, pooled, states } = encoder.apply(params, pixels!);
          return { last, pooled, ...Object.fromEntries(states.map((state, i) => [`state.${i}`, state])) };
        },
      });
      expect(problems).toEqual([]);
    },
  );

  it('takes pictures of its own size, and is no encoder of texts', () => {
    const encoder = findImageEncoder('clip-vision').parse(tiny);
    const params = encoder.init(torchGenerator(0));
    expect(() => encoder.apply(params, zeros([1, 3, 9, 8]))).toThrow('[encoders/clip-vision] pixels do not fit: pixels=[1, 3, 9, 8]');
    expect(() => findTextEncoder('clip-vision').parse(tiny)).toThrow('kind=image, wanted=text');
    expect(() => findImageEncoder('clip-vision').parse({ ...tiny, patch_size: 16 })).toThrow('patch_size=16, image_size=8');
    expect(() => findImageEncoder('clip-vision').parse({ ...tiny, num_attention_heads: 3 })).toThrow(UserError);
  });
});

describe("pictures as Pillow's", () => {
  it.each(golden.resized)('resized from $from to $to, byte for byte', ({ from, to: [width, height], bytes }) => {
    const { data } = resizeBicubic(pictureOf(from), { width, height });
    expect([...data]).toEqual([...Buffer.from(bytes, 'base64')]);
  });

  it.each(golden.prepared)('prepared from $from', async ({ from, config, shape, values }) => {
    const made = picturePreparation(config).pixels([pictureOf(from)]);
    expect(made.shape).toEqual(shape);
    const own = await float32Data(made);
    expect(Math.max(...values.map((value, i) => Math.abs(value - own[i]!)))).toBeLessThan(2e-6);
  });

  it('grey pictures have three equal channels; what is transparent is put on white', async () => {
    const config = { size: 2, crop_size: 2, do_normalize: false };
    const grey: Image = { width: 2, height: 2, channels: 1, data: Uint8Array.of(0, 51, 102, 255) };
    const values = await float32Data(picturePreparation(config).pixels([grey]));
    expect([...values].map((value) => Math.round(value * 255))).toEqual([0, 51, 102, 255, 0, 51, 102, 255, 0, 51, 102, 255]);
    const clear: Image = { width: 2, height: 2, channels: 4, data: new Uint8Array(16) };
    expect([...(await float32Data(picturePreparation(config).pixels([clear])))].every((value) => value === 1)).toBe(true);
  });

  it.each([
    [{ size: 0 }, /size=0/u],
    [{ size: { longest_edge: 3 } }, /size=/u],
    [{ resample: 2 }, /resample=2/u],
    [{ image_std: [1, 0, 1] }, /image_std=/u],
    [{ image_processor_type: 'ViTImageProcessor' }, /image_processor_type=/u],
    [3, /file holds no object/u],
  ])('are not prepared by a wrong file: %j', (wrong, message) => {
    expect(() => picturePreparation(wrong, 'preprocessor_config.json')).toThrow(UserError);
    expect(() => picturePreparation(wrong)).toThrow(message);
  });
});
