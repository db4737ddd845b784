import { UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { checkGenerate, type GenerateOptions } from '../../src/generate/options.ts';
import type { OpenProduct } from '../../src/generate/product.ts';

const model = {
  name: 'a product',
  multiple: 8,
  usual: { size: { width: 512, height: 512 }, steps: 50, guidance: 7.5 },
  guidedBy: 'cfg',
  fills: 'blended',
  controls: [],
  encodePrompts: () => Promise.reject(new Error('not asked for')),
} as unknown as OpenProduct;
const picture = { width: 16, height: 16, channels: 3, data: new Uint8Array(768) };
const check = (more: Readonly<Record<string, unknown>> = {}) => checkGenerate({ model, prompt: 'a cat', ...more } as GenerateOptions);

describe('options of generate', () => {
  it('have the defaults of the product', () => {
    expect(check()).toMatchObject({
      prompts: ['a cat'],
      negatives: [undefined],
      size: { width: 512, height: 512 },
      steps: 50,
      guidance: 7.5,
      seeds: [0n],
      noise: 'each',
      output: 'images',
    });
  });

  it('give each picture its prompt, its negative prompt and its seed', () => {
    expect(check({ prompt: ['a', 'b'], count: 2, negativePrompt: ['x', ''], seed: 2n ** 64n - 2n })).toMatchObject({
      prompts: ['a', 'a', 'b', 'b'],
      negatives: ['x', 'x', '', ''],
      seeds: [2n ** 64n - 2n, 2n ** 64n - 1n, 0n, 1n],
    });
    expect(check({ prompt: ['a', 'b'], negativePrompt: 'x' }).negatives).toEqual(['x', 'x']);
  });

  it('need no negatives where nothing is guided', () => {
    expect(check({ guidance: 1 }).negatives).toBeUndefined();
  });

  it.each([
    [{ promt: 'a' }, /unknown option: promt\. Did you mean "prompt"\?/u],
    [{ model: undefined }, /there is no model/u],
    [{ prompt: undefined }, /prompt is no text: prompt=undefined/u],
    [{ prompt: [] }, /prompt=an empty list/u],
    [{ prompt: ['a', 3] }, /prompt=3/u],
    [{ prompt: 'x'.repeat(100_001) }, /at most 100000 characters/u],
    [{ negativePrompt: ['a', 'b'] }, /one negative prompt for all, or one for each: prompts=1, negativePrompts=2/u],
    [{ negativePrompt: 'ugly', guidance: 1 }, /negative prompt does nothing without guidance/u],
    [{ guidanceRescale: 0.5, guidance: 1 }, /no guidance to rescale/u],
    [{ width: 500 }, /side is not a multiple of 8: width=500\. Ask for 496 or 504\./u],
    [{ width: 4 }, /width=4/u],
    [{ height: 1e9 }, /height=1000000000/u],
    [{ count: 0 }, /count=0/u],
    [{ prompt: Array.from({ length: 600 }, () => 'a'), count: 2 }, /too many pictures: prompts=600, count=2/u],
    [{ steps: 1.5 }, /steps=1\.5/u],
    [{ guidance: 0.5 }, /guidance=0\.5/u],
    [{ guidance: Number.NaN }, /guidance=NaN/u],
    [{ seed: -1 }, /seed is no whole number: seed=-1/u],
    [{ seed: 2n ** 64n }, /seed is no whole number/u],
    [{ seed: '7' }, /seed is no whole number: seed="7"/u],
    [{ noise: 'same' }, /unknown noise: noise="same"\. Known: each, shared\./u],
    [{ output: 'png' }, /unknown output/u],
    [{ scheduler: 'euler' }, /scheduler is no configuration: scheduler="euler"/u],
    [{ clipSkip: -1 }, /clipSkip=-1/u],
    [{ clipSkip: 0, clipSkipAs: 'a1111' }, /counts from 1/u],
    [{ clipSkipAs: 'a1111' }, /there is no clipSkip to count/u],
    [{ clipSkip: 1, clipSkipAs: 'comfy' }, /unknown clipSkipAs: .* Known: diffusers, a1111/u],
    [{ prompts: { dialect: 'b' } }, /unknown dialect of prompts: .* Known: plain, a1111, comfyui, compel/u],
    [{ prompts: { windows: 'two' } }, /unknown windows of prompts/u],
    [{ prompts: { window: 'all' } }, /window/u],
    [{ prompts: 'a1111' }, /a1111/u],
    [{ eta: 2 }, /eta=2/u],
    [{ strength: 0.5 }, /strength is of a picture to begin with, and there is none: strength=0\.5/u],
    [{ image: 3 }, /image is no picture: /u],
    [{ image: null }, /image is no picture: /u],
    [{ image: picture, mask: { ...picture, data: new Uint8Array(3) } }, /mask is no picture: a malformed image: width=16.*data=3 bytes/u],
    [{ signal: 'stop' }, /signal is none: signal="stop"/u],
    [{ signal: new AbortController() }, /signal is none: signal=an object/u],
    [{ image: [] }, /prompts=1, image=0/u],
    [{ image: { ...picture, data: new Uint8Array(3) } }, /data/u],
    [{ image: picture, strength: 2 }, /strength=2/u],
    [{ image: [picture, picture] }, /one image for all, or one for each: prompts=1, image=2/u],
    [{ outside: 'kept' }, /outside is of a picture to begin with, and there is none/u],
    [{ image: picture, outside: 'kept' }, /outside is of a mask, and there is none: outside="kept"/u],
    [{ image: picture, mask: picture, outside: 'raw' }, /outside is none of its choices: outside="raw"/u],
    [{ width: null }, /width=null/u],
    [{ image: picture, strength: null }, /strength=null/u],
    [{ mask: picture }, /mask is of a picture to begin with, and there is none/u],
    [{ image: picture, mask: [] }, /prompts=1, mask=0/u],
    [{ image: picture, mask: { ...picture, width: 8, height: 32 } }, /mask has another size than the picture that is made: mask=8x32/u],
    [{ image: picture, mask: picture, steps: 2, strength: 0.4 }, /nothing would be made anew: steps=2, strength=0\.4/u],
    [{ controls: 3 }, /controls are a list: controls=3/u],
    [{ controls: [{ image: picture }] }, /controls=1, of the model=0\. Open the model with controls\./u],
    [{ image: { ...picture, channels: 4 } }, /images?/u],
    [{ image: picture, width: 24 }, /size is that of the picture to begin with: width=24, height=16, picture=16x16/u],
  ])('are refused before anything is computed: %o', (more, message) => {
    expect(() => check(more)).toThrow(UserError);
    expect(() => check(more)).toThrow(message);
  });
});

describe('options of models of other kinds', () => {
  const of = (changed: object, more: Readonly<Record<string, unknown>> = {}) =>
    checkGenerate({ model: { ...model, ...changed }, prompt: ['a', 'b'], ...more } as GenerateOptions);
  const controls = [{ info: { hint: { channels: 3, pixels: 8 } } }];

  it('a network that is told its guidance has no negatives, and none to rescale', () => {
    expect(of({ guidedBy: 'condition' }).negatives).toBeUndefined();
    expect(() => of({ guidedBy: 'condition' }, { negativePrompt: 'ugly' })).toThrow(
      /does nothing for a network that is told its guidance/u,
    );
    expect(() => of({ guidedBy: 'condition' }, { guidanceRescale: 0.5 })).toThrow(/has none to rescale/u);
  });

  it('a network that is told a mask needs one', () => {
    expect(() => of({ fills: 'joined' })).toThrow(/makes parts of a picture anew: image=undefined/u);
    expect(() => of({ fills: 'joined' }, { image: picture })).toThrow(/makes parts of a picture anew: mask=undefined/u);
    const { start, size } = of({ fills: 'joined' }, { image: picture, mask: { ...picture, channels: 1, data: new Uint8Array(256) } });
    expect(start).toMatchObject({ strength: 1 });
    expect(start!.masks).toHaveLength(2);
    expect(size).toEqual({ width: 16, height: 16 });
  });

  it('a model without a text takes no prompt, and no guidance', () => {
    const none = { prompts: 'none', usual: { ...model.usual, guidance: 1 } };
    expect(of(none, { prompt: undefined, count: 2 })).toMatchObject({ prompts: ['', ''], negatives: undefined });
    expect(() => of(none)).toThrow(/the model takes no prompt: prompt=/u);
    expect(() => of(none, { prompt: '', guidance: 2 })).toThrow(/there is no prompt to be guided by: guidance=2/u);
  });

  it('each control has its picture, whose size is that of what is made', () => {
    expect(() => of({ controls })).toThrow(/each control of the model has its picture: controls=0, of the model=1/u);
    const checked = of({ controls }, { controls: [{ image: picture }] });
    expect(checked.size).toEqual({ width: 16, height: 16 });
    expect(checked.controls).toMatchObject([{ scale: 1, from: 0, until: 1 }]);
    expect(() => of({ controls }, { controls: [{ image: picture }], width: 24 })).toThrow(/picture of a control=16x16, picture=24x16/u);
    expect(() => of({ controls }, { controls: [{ image: picture, from: 0.5, until: 0.5 }] })).toThrow(/from=0\.5, until=0\.5/u);
    expect(() => of({ controls }, { controls: [{ image: { ...picture, channels: 1, data: new Uint8Array(256) } }] })).toThrow(
      /3 channels/u,
    );
    expect(() => of({ controls }, { controls: [undefined] })).toThrow(UserError);
  });
});
