import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { backboneFromConfig } from '@langevin/backbones';
import { findImageEncoder, findTextEncoder } from '@langevin/encoders';
import { measureRuled, numbersOf, type RuledDifference, type RuledGolden } from '@langevin/nn/testing';
import { tensor, type DType, type Engine, type Tensor } from '@langevin/tensor';

/** What all configurations of one class came to. */
export interface ClassRow {
  readonly className: string;
  readonly configurations: number;
  /** The largest relative errors of outputs and of gradients. */
  readonly output: number;
  readonly gradients: number;
  readonly problems: readonly string[];
}

interface Given {
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean)[];
  readonly dtype: string;
}

interface Case extends RuledGolden {
  readonly class?: string;
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  readonly given?: Readonly<Record<string, Given>>;
  readonly ids?: readonly (readonly number[])[];
  readonly mask?: readonly (readonly number[])[] | null;
}

/** Golden files of transformers that denoise, whose cases say what they are given. */
const NETWORKS = {
  'sd3.json': 'SD3Transformer2DModel',
  'flux.json': 'FluxTransformer2DModel',
  'flux2.json': 'Flux2Transformer2DModel',
  'pixart.json': 'PixArtTransformer2DModel',
  // Twins in PyTorch, written from the papers' formulas.
  'u-vit.json': 'UViT',
  'diffit.json': 'DiffiT',
} as const;
const ENCODERS = ['clip-text.json', 't5.json', 'clip-vision.json'] as const;
const TOLERANCE = { output: 2e-5, gradients: 1e-4 };

/** Classes beside diffusers, transformers and twins in float64, whose weights follow from names: outputs and gradients. */
export async function classRows(root: string, engine: Engine): Promise<readonly ClassRow[]> {
  const rows = new Map<string, RuledDifference[]>();
  const add = (name: string, found: RuledDifference): void => void rows.set(name, [...(rows.get(name) ?? []), found]);
  for (const [file, className] of Object.entries(NETWORKS))
    for (const entry of await casesOf(join(root, 'packages/backbones/test/golden', file)))
      add(className, await network(entry, { className, engine }));
  for (const file of ENCODERS)
    for (const entry of await casesOf(join(root, 'packages/encoders/test/golden', file)))
      add(entry.class ?? 'CLIPVisionModelWithProjection', await encoder(entry, engine));
  return [...rows].map(([className, found]) => ({
    className,
    configurations: found.length,
    output: Math.max(...found.map(({ output }) => output)),
    gradients: Math.max(...found.map(({ gradients }) => gradients)),
    problems: found.flatMap(({ problems }) => problems),
  }));
}

async function casesOf(path: string): Promise<readonly Case[]> {
  return (JSON.parse(await readFile(path, 'utf8')) as { readonly cases: readonly Case[] }).cases;
}

function network(golden: Case, { className, engine }: { readonly className: string; readonly engine: Engine }): Promise<RuledDifference> {
  const made = backboneFromConfig({ _class_name: className, ...golden.config });
  const given = Object.fromEntries(
    Object.entries(golden.given ?? {}).map(([name, { values, shape, dtype }]): [string, Tensor] => [
      name,
      tensor(values.map(Number), { shape, dtype: dtype === 'int64' ? 'int32' : (dtype as DType) }),
    ]),
  );
  const drawn = Object.entries(golden.inputs ?? {}).map(([name, shape]) => [name, numbersOf(`${golden.name}/${name}`, shape)] as const);
  const { time, ...conditions } = given;
  return measureRuled(golden, {
    init: made.init,
    apply: (params, { x, ...told }) => ({ output: made.apply(params, x!, time!, { conditions: told }) }),
    inputs: { ...conditions, ...Object.fromEntries(drawn) },
    engine,
    tolerance: TOLERANCE,
  });
}

function encoder(golden: Case, engine: Engine): Promise<RuledDifference> {
  if (golden.ids === undefined) {
    const vision = findImageEncoder('CLIPVisionModelWithProjection').parse(golden.config);
    const { side } = vision.info;
    return measureRuled(golden, {
      init: vision.init,
      apply: (params, { pixels }) => {
        const { last, pooled, states } = vision.apply(params, pixels!);
        return only(golden, { last, pooled, ...named(states) });
      },
      inputs: { pixels: numbersOf(`${golden.name}/pixels`, [2, 3, side, side]) },
      engine,
      tolerance: TOLERANCE,
    });
  }
  const text = findTextEncoder(golden.class!).parse(golden.config);
  const ids = tensor(golden.ids.flat(), { shape: [golden.ids.length, golden.ids[0]!.length], dtype: 'int32' });
  const mask = golden.mask ? { mask: tensor(golden.mask.flat(), { shape: ids.shape, dtype: 'bool' }) } : {};
  return measureRuled(golden, {
    init: text.init,
    apply: (params) => {
      const { last, pooled, states } = text.apply(params, ids, mask);
      return only(golden, { last, ...(pooled && { pooled }), ...named(states) });
    },
    inputs: {},
    engine,
    tolerance: TOLERANCE,
  });
}

function named(states: readonly Tensor[]): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(states.map((state, i) => [`state.${i}`, state]));
}

/** Those outputs that the golden file has. */
function only({ outputs }: RuledGolden, made: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(Object.entries(made).filter(([name]) => Object.hasOwn(outputs, name)));
}
