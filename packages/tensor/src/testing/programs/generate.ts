import type { DType } from '../../dtype.ts';
import { UserError } from '../../errors.ts';
import { Tensor } from '../../tensor.ts';
import { Draft, type DraftOptions } from './draft.ts';
import { growers } from './growers/index.ts';
import { programFunction } from './interpret.ts';
import { rewriteGrowers } from './rewrites.ts';
import { mixed, type ProgramSpec } from './spec.ts';

/**
 * Kinds of random programs:
 * - `smooth`: every op, several of them, on numbers where functions are smooth; with gradients of gradients;
 * - `special`: NaN, infinities, both zeros and ties among the elements; values only, since derivatives there are a matter of each op;
 * - `dtypes`: float16, integers, bytes and bools where ops take them;
 * - `empty`: axes of size 0 and 1;
 * - `batched`: programs that run for any batch size;
 * - `rewrites`: what graph optimisers rewrite: borders before poolings, scaled and transposed products, chains of casts, ...
 */
export const programKinds = ['smooth', 'special', 'dtypes', 'empty', 'batched', 'rewrites'] as const;

export type ProgramKind = (typeof programKinds)[number];

/** The size of the batch axis of a `batched` program as it is drawn: no other axis has it. */
const BATCH = 5;

/** Ops that programs of special values leave out: sums of them hang on the order, which is each engine's own. */
const UNSETTLED: ReadonlySet<string> = new Set(['stopGradient', 'straightThrough', 'checkpoint', 'einsum', 'convTranspose']);

const DTYPES: readonly DType[] = ['float32', 'float16', 'int32', 'bool', 'int64', 'uint8'];

function shapeFor(draft: Draft, kind: ProgramKind): number[] {
  const { dice } = draft;
  const rank = dice.between(kind === 'batched' ? 1 : 0, 4);
  const size = (): number => (kind === 'empty' ? dice.below(3) : dice.oneIn(4) ? 1 : dice.between(2, 4));
  const shape = Array.from({ length: rank }, size);
  if (kind === 'batched') shape[0] = BATCH;
  return shape;
}

function optionsFor(kind: ProgramKind, seed: number): DraftOptions {
  if (kind === 'special') return { kind, seed, draw: 'special' };
  if (kind === 'rewrites' && seed % 3 === 0) return { kind, seed, draw: 'special' };
  return { kind, seed };
}

function grow(kind: ProgramKind, seed: number): ProgramSpec | undefined {
  const draft = new Draft(optionsFor(kind, seed));
  const { dice } = draft;
  const table = kind === 'rewrites' ? { ...rewriteGrowers } : growers;
  const names = Object.keys(table).filter((name) => kind !== 'special' || !UNSETTLED.has(name));
  for (let i = dice.between(1, 3); i > 0; i--) {
    draft.input(shapeFor(draft, kind), kind === 'dtypes' ? { dtype: dice.of(DTYPES) } : {});
  }
  const wanted = kind === 'special' || kind === 'rewrites' ? dice.between(1, 3) : dice.between(3, 7);
  for (let tries = 0, grown = 0; grown < wanted && tries < 60; tries++) {
    const before = draft.length;
    table[dice.of(names)]!(draft);
    if (draft.length > before) grown++;
  }
  return draft.finish();
}

/** The program of a kind and a seed: always the same one. */
export function generateProgram(kind: ProgramKind, seed: number): ProgramSpec {
  for (let attempt = 0; attempt < 200; attempt++) {
    const spec = grow(kind, mixed(seed, attempt));
    if (spec && (kind !== 'batched' || [1, 2, 7].every((batch) => rebatched(spec, batch)))) return spec;
  }
  throw new UserError(`[tensor/testing] no program grew: kind=${kind}, seed=${seed}. Take another seed.`);
}

/** The same program on inputs of another batch size; undefined when it does not run for that. */
export function rebatched(spec: ProgramSpec, batch: number): ProgramSpec | undefined {
  const inputs = spec.inputs.map((input) => {
    const shape = input.shape.map((n) => (n === BATCH ? batch : n));
    return input.high === undefined ? { ...input, shape } : { ...input, shape, high: Math.min(input.high, batch) };
  });
  const candidate = { ...spec, inputs };
  return shapesOf(candidate) === undefined ? undefined : candidate;
}

/** The results that a program declares, by the ops' own rules; undefined when they refuse it. */
export function shapesOf(spec: ProgramSpec): readonly Tensor[] | undefined {
  try {
    return programFunction(spec)(
      ...spec.inputs.map(({ shape, dtype }, i) => new Tensor(shape, dtype, { kind: 'placeholder', name: `x${i}` })),
    );
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
