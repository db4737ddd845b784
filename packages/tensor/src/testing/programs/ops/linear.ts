import {
  attention,
  avgPool,
  conv,
  type ConvOptions,
  convTranspose,
  einsum,
  matmul,
  maxPool,
  type PoolOptions,
  type Tensor,
} from '../../../index.ts';
import type { Attributes } from '../spec.ts';
import type { ProgramOp } from './index.ts';

type Pairs = readonly (readonly [number, number])[];

const geometry = ({ stride, padding, dilation, groups }: Attributes, bias: Tensor | undefined): ConvOptions => ({
  stride: stride as readonly number[],
  padding: padding as Pairs,
  dilation: dilation as readonly number[],
  groups: groups as number,
  bias,
});

const pooling = ({ kernel, stride, padding }: Attributes): PoolOptions => ({
  kernel: kernel as readonly number[],
  stride: stride as readonly number[],
  padding: padding as Pairs,
});

export const linearOps: Readonly<Record<string, ProgramOp>> = {
  matmul: ([a, b], { transposeA, transposeB }) => matmul(a!, b!, { transposeA: transposeA === true, transposeB: transposeB === true }),
  einsum: (inputs, { equation }) => einsum(equation as string, ...inputs),
  conv: ([x, w, bias], attributes) => conv(x!, w!, geometry(attributes, bias)),
  convTranspose: ([x, w, bias], attributes) =>
    convTranspose(x!, w!, { ...geometry(attributes, bias), outputPadding: attributes['outputPadding'] as readonly number[] }),
  maxPool: ([x], attributes) => maxPool(x!, pooling(attributes)),
  avgPool: ([x], attributes) => avgPool(x!, pooling(attributes)),
  attention: ([q, k, v, mask], { scale }) =>
    attention({ q: q!, k: k!, v: v!, mask, ...(scale === null ? {} : { scale: scale as number }) }),
};
