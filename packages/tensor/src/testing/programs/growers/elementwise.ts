import { isFloating } from '../../../dtype.ts';
import type { Tensor } from '../../../tensor.ts';
import { broadcastShapes } from '../../../shape.ts';
import type { Draft } from '../draft.ts';

/** Adds one use of an op to a draft; undefined when nothing that is there fits. */
export type Grower = (draft: Draft) => string | undefined;

const unary =
  (op: string): Grower =>
  (d) => {
    const x = d.float();
    return x && d.step(op, [x]);
  };

/** Of arguments that are positive and bounded away from 0. */
const positive =
  (op: string): Grower =>
  (d) => {
    const x = d.tamed(d.float(), 'positive');
    return x && d.step(op, [x]);
  };

/** A value of x's dtype whose shape broadcasts with it: another one, or a new input with some axes of size 1 or left out. */
export function partner(d: Draft, x: string): string {
  const { dtype, shape } = d.tensor(x);
  const fits = d.pick((value) => value.dtype === dtype && broadcasts(value, d.tensor(x)));
  if (fits !== undefined && !d.dice.oneIn(3)) return fits;
  const thin = shape.map((n) => (d.dice.oneIn(3) ? 1 : n));
  return d.input(thin.slice(d.dice.oneIn(3) ? d.dice.below(thin.length + 1) : 0), { dtype });
}

function broadcasts(a: Tensor, b: Tensor): boolean {
  try {
    broadcastShapes('tensor/testing', a.shape, b.shape);
    return true;
  } catch {
    return false;
  }
}

/** Two tensors, or one and a number on either side. */
const binary =
  (op: string, of: (d: Draft) => string | undefined = (d) => d.pick((x) => x.dtype !== 'bool')): Grower =>
  (d) => {
    const x = of(d);
    if (x === undefined) return undefined;
    const isFloat = isFloating(d.tensor(x).dtype);
    if (d.dice.oneIn(4))
      return d.step(op, [x], { scalar: isFloat ? d.dice.number() : d.dice.between(-3, 3), side: d.dice.of(['left', 'right']) });
    const y = partner(d, x);
    return d.step(op, d.dice.oneIn(2) ? [x, y] : [y, x]);
  };

const ofFloats = (d: Draft): string | undefined => d.float();

const logical =
  (op: string): Grower =>
  (d) => {
    const x = d.pick((value) => value.dtype === 'bool') ?? d.input([2, 3], { dtype: 'bool' });
    return d.step(op, [x, partner(d, x)]);
  };

export const elementwiseGrowers: Readonly<Record<string, Grower>> = {
  ...Object.fromEntries(
    ['neg', 'abs', 'sign', 'sin', 'cos', 'atan', 'tanh', 'sigmoid', 'erf', 'floor', 'ceil', 'round', 'square', 'relu', 'silu'].map((op) => [
      op,
      unary(op),
    ]),
  ),
  ...Object.fromEntries(['softplus', 'logSigmoid', 'stopGradient', 'isFinite', 'checkpoint'].map((op) => [op, unary(op)])),
  ...Object.fromEntries(['log', 'sqrt', 'reciprocal', 'rsqrt'].map((op) => [op, positive(op)])),
  ...Object.fromEntries(['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'].map((op) => [op, binary(op)])),
  ...Object.fromEntries(['add', 'sub', 'mul', 'maximum', 'minimum'].map((op) => [op, binary(op)])),
  logicalAnd: logical('logicalAnd'),
  logicalOr: logical('logicalOr'),
  logicalNot: (d) => d.step('logicalNot', [d.pick((x) => x.dtype === 'bool') ?? d.input([3], { dtype: 'bool' })]),
  exp: (d) => {
    const x = d.tamed(d.float(), 'bounded');
    return x && d.step('exp', [x]);
  },
  div: (d) => {
    const x = d.float();
    if (x === undefined) return undefined;
    if (d.dice.oneIn(4)) return d.step('div', [x], { scalar: d.dice.number(), side: 'right' });
    const y = d.tamed(partner(d, x), 'positive');
    return y && d.step('div', [x, y]);
  },
  pow: (d) => {
    const x = d.tamed(d.float(), 'positive');
    if (x === undefined) return undefined;
    if (d.dice.oneIn(2)) return d.step('pow', [x], { scalar: d.dice.of([2, 3, 0.5, -1, -0.5, 1, 0, d.dice.number()]), side: 'right' });
    const y = d.tamed(partner(d, x), 'bounded');
    return y && d.step('pow', [x, y]);
  },
  gelu: (d) => {
    const x = d.float();
    return x && d.step('gelu', [x], { approximation: d.dice.of(['none', 'tanh']) });
  },
  clamp: (d) => {
    const x = d.float();
    const low = d.dice.number() / 2 - 0.75;
    const ends = d.dice.of([{ min: low }, { max: low + 1 }, { min: low, max: low + 1.5 }]);
    return x && d.step('clamp', [x], ends);
  },
  cast: (d) => {
    const x = d.pick(() => true);
    if (x === undefined) return undefined;
    // An integer that stands for NaN or an infinity is nobody's business.
    const targets = d.options.draw === 'special' ? ['float32', 'bool'] : ['float32', 'int32', 'bool'];
    return d.step('cast', [x], { dtype: d.dice.of(d.options.kind === 'dtypes' ? [...targets, 'float16', 'int64', 'uint8'] : targets) });
  },
  lerp: (d) => {
    const x = d.float();
    return x && d.step('lerp', [x, partner(d, x)], { weight: d.dice.number() });
  },
  where: (d) => {
    const x = d.float();
    if (x === undefined) return undefined;
    const known = d.pick((value) => value.dtype === 'bool' && broadcasts(value, d.tensor(x)));
    const condition = known ?? d.step('less', [x, partner(d, x)]);
    if (condition === undefined) return undefined;
    if (d.dice.oneIn(3)) return d.step('where', [condition, x], d.dice.oneIn(2) ? { then: d.dice.number() } : { else: d.dice.number() });
    return d.step('where', [condition, x, partner(d, x)]);
  },
  barrier: (d) => {
    const x = ofFloats(d);
    const token = d.pick((value) => value.size > 0);
    return x && token && d.step('barrier', [x, token]);
  },
  straightThrough: (d) => {
    const x = ofFloats(d);
    const rounded = x && d.step('round', [x]);
    return rounded && d.step('straightThrough', [rounded, x]);
  },
};
