import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { readGolden, resultOf, writeTiny } from '@langevin/pipelines/testing';
import { errorKind, float32Data, setDefaultEngine } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { generate } from '../../src/generate/generate.ts';
import { openModel } from '../../src/generate/open-model.ts';
import type { OpenProduct } from '../../src/generate/product.ts';
import { saveModel } from '../../src/generate/save-model.ts';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

async function folderOf(name: string): Promise<string> {
  return writeTiny(join(await scratch(), 'model'), await readGolden(GOLDEN, name));
}

const made = async (model: OpenProduct, more: object = {}): Promise<readonly number[]> =>
  Array.from(await float32Data((await resultOf({ model, prompt: 'a cat', steps: 3, width: 16, height: 16, ...more } as never)).latents));

/** Refused as an error of the user, with these words. */
async function refuses(call: () => Promise<unknown>, message: RegExp): Promise<void> {
  const error: unknown = await call().then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(['user', 'unsupported'], String(error)).toContain(errorKind(error));
  expect(String(error)).toMatch(message);
}

describe('what is said when a model is opened', () => {
  const CASES: readonly (readonly [object, RegExp])[] = [
    [{ adaptors: [] }, /unknown option: adaptors\. Did you mean "adapters"/u],
    [{ variant: 16 }, /variant is no name of one: variant=16/u],
    [{ variant: '../fp16' }, /variant is no name of one/u],
    [{ missingVariant: 'ignore' }, /missingVariant/u],
    [{ hub: 3 }, /options=3/u],
    [{ hub: { tokens: 'x' } }, /unknown option: tokens\. Did you mean "token"/u],
    [{ singleFile: { weight: 'ema' } }, /unknown option: weight\. Did you mean "weights"/u],
    [{ products: [{}] }, /products are a list of kinds of checkpoints: products=a list/u],
    [{ adapters: [{ from: 'x', strenght: 0.5 }] }, /unknown option: strenght\. Did you mean "strength"/u],
    [{ adapters: [{ from: 'x', name: 3 }] }, /name of an adapter is no text: name=3/u],
    [{ embeddings: [{ from: 'x', word: 'y' }] }, /unknown option: word/u],
    [{ controls: [null] }, /options=null/u],
    [{ controls: 3 }, /controls are a list of at most 16: controls=3/u],
    [{ controls: Array.from({ length: 17 }, () => ({ from: 'x' })) }, /controls=17 of them/u],
    [{ controls: [{ from: 'x', scale: 0.5 }] }, /unknown option: scale/u],
    [{ imagePrompts: [null] }, /options=null/u],
    [{ imagePrompts: [{ from: 'x', image: 1 }] }, /unknown option: image/u],
    [{ engine: 0 }, /engine/u],
    [{ engine: null }, /engine/u],
  ];

  it('is refused where it is misspelt or of another kind', async () => {
    const folder = await folderOf('stable-diffusion');
    for (const [options, message] of CASES) await refuses(() => openModel(folder, options), message);
    await refuses(() => openCheckpoint(folder, { variants: 'fp16' } as object), /unknown option: variants/u);
  });

  it('has strengths that are numbers', async () => {
    const golden = await readGolden(GOLDEN, 'stable-diffusion-tasks');
    const folder = await writeTiny(join(await scratch(), 'model'), golden);
    const from = `${folder}-adapter-${Object.keys(golden.adapters!)[0]!}.safetensors`;
    for (const strength of [NaN, Infinity, 'strong', null, { unet: NaN }, [1]] as unknown[])
      await refuses(() => openModel(folder, { adapters: [{ from, strength: strength as never }] }), /strength|unet|options=a list/u);
  });
});

describe('a call that fails', () => {
  it('is refused before the network runs where an option would do nothing', async () => {
    const model = await openModel(await folderOf('stable-diffusion'));
    const CASES: readonly (readonly [object, RegExp])[] = [
      [{ eta: 0.5 }, /PNDMScheduler adds no noise by eta: eta=0\.5/u],
      [{ scheduler: { use_karas_sigmas: true } }, /PNDMScheduler has no such entry, and would do nothing with it: use_karas_sigmas/u],
      [{ scheduler: { _class_name: 'DDIMScheduler', use_karras_sigmas: true } }, /DDIMScheduler has no such entry/u],
      [{ scheduler: { _class_name: 'RePaintScheduler' } }, /scheduler is of another loop/u],
      [{ scheduler: { _class_name: 'KarrasVeScheduler' } }, /scheduler is of another loop/u],
      [{ scheduler: { _class_name: 'DDPMWuerstchenScheduler' } }, /scheduler is of another loop/u],
    ];
    for (const [more, message] of CASES) {
      let events = 0;
      await refuses(async () => {
        for await (const _ of generate({ model, prompt: 'a cat', steps: 2, ...more })) events++;
      }, message);
      expect(events).toBe(0);
    }
    const image = { width: 16, height: 16, channels: 3, data: new Uint8Array(768) };
    const cannot = resultOf({ model, prompt: 'a cat', steps: 2, image, scheduler: { _class_name: 'IPNDMScheduler' } } as never);
    await expect(cannot).rejects.toThrow(/has no such call, nor has its Python twin: call=addNoise\. Take another class/u);
    // What the checkpoint's own file has of the class before is kept, as in diffusers; DDIM adds noise by eta.
    const ddim = { _class_name: 'DDIMScheduler' };
    expect(await made(model, { scheduler: ddim, eta: 0.5 })).not.toEqual(await made(model, { scheduler: ddim }));
    await model.dispose();
  });

  it('leaves the model as it was, wherever it is stopped, and also by its reader', async () => {
    const model = await openModel(await folderOf('stable-diffusion'));
    const before = await made(model);
    for (const last of [0, 1, 3]) {
      const stop = new AbortController();
      let seen = 0;
      const stopped = async (): Promise<void> => {
        for await (const _ of generate({ model, prompt: 'a cat', steps: 3, width: 16, height: 16, signal: stop.signal }))
          if (seen++ === last) stop.abort(new Error('enough'));
      };
      await expect(stopped()).rejects.toThrow('enough');
      expect(seen).toBe(last + 1);
    }
    for await (const event of generate({ model, prompt: 'a cat', steps: 3, width: 16, height: 16 })) if (event.kind === 'step') break;
    expect(await made(model)).toEqual(before);
    await model.dispose();
  });

  it('two at once, and a model that is disposed of meanwhile, give what one gives', async () => {
    const model = await openModel(await folderOf('stable-diffusion'));
    const before = await made(model);
    const [one, other, more] = await Promise.all([made(model), made(model), made(model, { seed: 5 })]);
    expect([one, other]).toEqual([before, before]);
    expect(more).not.toEqual(before);
    const [last] = await Promise.all([made(model), model.dispose()]);
    expect(last).toEqual(before);
    await model.dispose();
    await model.dispose();
  });
});

describe('saving', () => {
  it('refuses what is no model, no signal and no listener, and leaves nothing behind', async () => {
    const folder = await folderOf('stable-diffusion');
    const model = await openModel(folder);
    const home = await scratch();
    const target = join(home, 'saved');
    for (const none of [null, {}, 3]) await refuses(() => saveModel(target, none as never), /there is no model/u);
    await refuses(() => saveModel(target, model, { signal: 3 as never }), /signal is none: signal=3/u);
    await refuses(() => saveModel(target, model, { onProgress: 3 as never }), /onProgress is no function: onProgress=3/u);
    await refuses(() => saveModel(target, model, { dtypes: 'float16' } as object), /unknown option: dtypes/u);
    await refuses(() => saveModel(join(folder, 'model_index.json'), model), /this is no folder to write to/u);
    await refuses(() => saveModel(join(folder, 'model_index.json', 'x'), model), /no folder/u);
    const stop = new AbortController();
    const stopped = saveModel(target, model, { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
    const broken = saveModel(target, model, {
      onProgress: () => {
        throw new Error('of the listener');
      },
    });
    await expect(broken).rejects.toThrow('of the listener');
    expect(await readdir(home)).toEqual([]);
    await model.dispose();
  });
});
