import {
  add,
  checkNumber,
  concat,
  expandDims,
  mul,
  neg,
  readOptions,
  reshape,
  split,
  tensor,
  UserError,
  type Tensor,
} from '@langevin/tensor';

/** The angles of tokens as their cosines and sines, [L, size] each: neighbouring features turn together. */
export interface RotaryTable {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

export interface RotaryConfig {
  /** How many features of a head turn with each coordinate; even numbers, together the size of a head. */
  readonly axes: readonly number[];
  /** The slowest wave of an axis has a length of about 2 pi times this. @default 10000 */
  readonly theta?: number;
}

/**
 * Rotary positions (Su et al. 2021, arXiv:2104.09864) of tokens with several coordinates: feature pair i of an axis turns by
 * coordinate theta^(-2 i / axis). Computed in float64 on the host, as diffusers does for Flux.
 *
 * @param coordinates of each token, one number for each axis
 * @throws UserError when an axis is not even, or a token has not one coordinate for each
 * @example
 * const { cos } = rotaryTable([[0, 0], [0, 1], [1, 0]], { axes: [4, 4] });
 * cos.shape; // => [3, 8]
 */
export function rotaryTable(coordinates: readonly (readonly number[])[], given: RotaryConfig): RotaryTable {
  const { axes, theta = 10000 } = readOptions('nn/rotaryTable', given);
  checkNumber('nn/rotaryTable', { theta }, { above: 0 });
  const odd = axes.find((size) => !(Number.isInteger(size) && size > 0 && size % 2 === 0));
  if (odd !== undefined || axes.length === 0)
    throw new UserError(`[nn/rotaryTable] features of an axis do not come in pairs: axes=[${axes.join(', ')}]. Give even numbers.`);
  const frequencies = axes.map((size) => Array.from({ length: size / 2 }, (_, i) => theta ** ((-2 * i) / size)));
  const size = axes.reduce((a, b) => a + b, 0);
  const cos = new Float32Array(coordinates.length * size);
  const sin = new Float32Array(coordinates.length * size);
  coordinates.forEach((place, token) => {
    if (place.length !== axes.length)
      throw new UserError(
        `[nn/rotaryTable] token has another number of coordinates: token ${token} has ${place.length}, axes=${axes.length}. Give one for `
          + 'each axis.',
      );
    let at = token * size;
    place.forEach((coordinate, axis) => {
      for (const frequency of frequencies[axis]!) {
        const angle = coordinate * frequency;
        cos[at] = cos[at + 1] = Math.cos(angle);
        sin[at] = sin[at + 1] = Math.sin(angle);
        at += 2;
      }
    });
  });
  const shape = [coordinates.length, size];
  return { cos: tensor(cos, { shape }), sin: tensor(sin, { shape }) };
}

/** Queries or keys [N, heads, L, size] turned by the angles of their tokens. */
export function rotate(x: Tensor, { cos, sin }: RotaryTable): Tensor {
  const [n, heads, l, size] = x.shape as readonly [number, number, number, number];
  const [first, second] = split(reshape(x, [n, heads, l, size / 2, 2]), 2, -1) as [Tensor, Tensor];
  const quarterTurn = reshape(concat([neg(second), first], -1), x.shape);
  return add(mul(x, expandDims(cos, [0, 1])), mul(quarterTurn, expandDims(sin, [0, 1])));
}
