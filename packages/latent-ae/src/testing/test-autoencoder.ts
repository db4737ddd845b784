import type { Autoencoder } from '@langevin/core';
import { shapesOnly } from '@langevin/nn';
import { numbersOf } from '@langevin/nn/testing';
import {
  concat,
  errorKind,
  grad,
  mul,
  namedTensors,
  numbers,
  sum,
  torchGenerator,
  UserError,
  zeros,
  type Engine,
  type Tensor,
} from '@langevin/tensor';

export interface AutoencoderTestOptions {
  /** How the test runner registers a test: vitest's or node:test's `test`. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** @default the default engine */
  readonly engine?: Engine;
  /** Sides of the pictures behind the channels. @default four cells of the latent on each axis */
  readonly sides?: readonly number[];
}

/** Of the largest number: what layers of float32 in another order make of the same sum. */
const WITHIN = 1e-4;

/**
 * Registers the conformance tests of an autoencoder: shapes are what `info` and `latentShape` say; parameters follow from the generator,
 * and have the names and shapes of the template; items of a batch do not see each other; a posterior is one; pictures have gradients by
 * latents; what does not fit is refused.
 *
 * @example
 * // not run: needs vitest
 * import { describe, test } from 'vitest';
 * describe('tiny', () => testAutoencoder(autoencoderTiny(), { test }));
 */
export function testAutoencoder<Params>(autoencoder: Autoencoder<Params>, { test, engine, sides }: AutoencoderTestOptions): void {
  const { info, init, latentShape, encode, decode } = autoencoder;
  const onEngine = engine === undefined ? {} : { engine };
  const given = sides ?? info.factor.map((factor) => 4 * factor);
  const params = init(torchGenerator(1));
  const picture = (name: string): Tensor => mul(numbersOf(name, [1, info.inputs, ...given]), 0.5);
  const latent = (name: string): Tensor => numbersOf(name, latentShape([1, info.inputs, ...given]));
  const read = (x: Tensor): Promise<readonly number[]> => numbers(x, onEngine);

  test('shapes are what it says they are', () =>
    checked(() => {
      const { mode } = encode(params, picture('x'));
      const expected = latentShape([1, info.inputs, ...given]);
      demand(same(mode.shape, expected), `a latent is [${mode.shape.join()}], and latentShape says [${expected.join()}]`);
      demand(expected[1] === info.channels, `a latent has ${expected[1]} channels, and info says ${info.channels}`);
      const decoded = decode(params, latent('z')).shape.slice(2);
      const grown = expected.slice(2).map((side, i) => side * info.factor[i]!);
      demand(same(decoded, grown), `pictures have sides [${decoded.join()}], and the factor says [${grown.join()}]`);
    }));

  test('latents have a scale and a shift, of all channels or of each', () =>
    checked(() => {
      for (const [name, value] of [
        ['scale', info.scale],
        ['shift', info.shift],
      ] as const) {
        const values = typeof value === 'number' ? [value] : value;
        demand(
          typeof value === 'number' || values.length === info.channels,
          `${name} has ${values.length} numbers for ${info.channels} channels`,
        );
        demand(
          values.every((each) => Number.isFinite(each) && (name === 'shift' || each > 0)),
          `${name} is [${values.join()}]`,
        );
      }
    }));

  test('parameters follow from the generator, and the template has their names and shapes', async () => {
    const [one, two, template] = [namedTensors(params), namedTensors(init(torchGenerator(1))), namedTensors(init(shapesOnly))];
    demand(same([...one.keys()], [...template.keys()]), 'names of parameters differ from those of the template');
    for (const [name, value] of one) {
      demand(same(value.shape, template.get(name)!.shape), `${name} has another shape in the template`);
      demand(same(await read(value), await read(two.get(name)!)), `${name} is another for the same seed`);
    }
  });

  test('items of a batch do not see each other', async () => {
    const both = (make: (name: string) => Tensor): Tensor => concat([make('one'), make('two')], 0);
    const coded = [encode(params, picture('one')).mode, encode(params, picture('two')).mode];
    near(await read(encode(params, both(picture)).mode), await read(concat(coded, 0)), 'of latents alone');
    const decoded = [decode(params, latent('one')), decode(params, latent('two'))];
    near(await read(decode(params, both(latent))), await read(concat(decoded, 0)), 'of pictures alone');
  });

  test('a posterior has its mode where there is no noise, and divergence and moments where it is a distribution', async () => {
    const { mode, sample, divergence, moments } = encode(params, picture('x'));
    near(await read(sample(zeros(mode.shape))), await read(mode), 'of a sample without noise');
    const noisy = await read(sample(numbersOf('noise', mode.shape)));
    const moved = !same(noisy, await read(mode));
    demand(
      moved === (divergence !== undefined),
      `samples ${moved ? 'differ from the mode' : 'are the mode'}, divergence=${String(divergence)}`,
    );
    if (divergence !== undefined) {
      demand(same(divergence.shape, [1]), `a divergence is [${divergence.shape.join()}], not one number for each item`);
      demand((await read(divergence))[0]! >= 0, 'a divergence is below 0');
    }
    if (moments !== undefined) {
      const expected = [1, 2 * info.channels, ...mode.shape.slice(2)];
      demand(same(moments.shape, expected), `moments are [${moments.shape.join()}], not [${expected.join()}]`);
    }
  });

  test('pictures have gradients by latents, which are numbers', async () => {
    const weights = numbersOf('weights', decode(params, latent('z')).shape);
    const gradient = await read(grad((z: Tensor) => sum(mul(decode(params, z), weights)))(latent('z')));
    demand(gradient.every(Number.isFinite), 'a gradient is not finite');
    demand(
      gradient.some((value) => value !== 0),
      'all gradients are 0',
    );
  });

  test('refuses what does not fit', () =>
    checked(() => {
      refuses(() => latentShape([1, info.inputs + 1, ...given]), 'the shape of pictures with a channel more');
      refuses(() => encode(params, zeros([1, info.inputs + 1, ...given])), 'pictures with a channel more');
      refuses(() => encode(params, zeros([info.inputs, ...given])), 'a picture that is no batch');
      const [n, , ...cells] = latent('z').shape;
      refuses(() => decode(params, zeros([n!, info.channels + 1, ...cells])), 'latents with a channel more');
      refuses(() => decode(params, zeros([info.channels, ...cells])), 'a latent that is no batch');
    }));
}

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

/** A check that waits for nothing, as the runner wants it. */
const checked = (run: () => void): Promise<void> => Promise.resolve().then(run);

function near(made: readonly number[], expected: readonly number[], what: string): void {
  demand(made.length === expected.length, `${made.length} numbers, not ${expected.length}, ${what}`);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  const worst = made.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  demand(worst <= WITHIN * scale, `differs by ${worst}, of at most ${scale}, ${what}`);
}

function refuses(run: () => unknown, what: string): void {
  let refusal: unknown;
  try {
    run();
  } catch (error) {
    refusal = error;
  }
  demand(refusal !== undefined, `takes ${what}`);
  demand(errorKind(refusal) === 'user', `refuses ${what} with another error than a UserError: ${String(refusal)}`);
}

function demand(holds: boolean, problem: string): void {
  if (!holds) throw new UserError(`[latent-ae/testing] autoencoder does not conform: ${problem}. See the contract of Autoencoder in core.`);
}
