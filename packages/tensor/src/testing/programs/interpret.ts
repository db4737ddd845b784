import { isFloating } from '../../dtype.ts';
import { gradients } from '../../autodiff/gradients.ts';
import { UserError } from '../../errors.ts';
import { didYouMean } from '../../did-you-mean.ts';
import type { Tensor } from '../../tensor.ts';
import { programOps } from './ops/index.ts';
import type { ProgramSpec, ProgramStep } from './spec.ts';

export function applyStep({ op, attributes }: ProgramStep, inputs: readonly Tensor[]): Tensor {
  const apply = programOps[op];
  if (!apply) throw new UserError(`[tensor/testing] op is unknown: op=${op}.${didYouMean(op, Object.keys(programOps))}`);
  return apply(inputs, attributes);
}

/** A program as a function of its inputs. */
export function programFunction(spec: ProgramSpec): (...inputs: readonly Tensor[]) => readonly Tensor[] {
  return (...inputs) => {
    const values = new Map<string, Tensor>(inputs.slice(0, spec.inputs.length).map((x, i) => [`x${i}`, x]));
    const read = (name: string): Tensor => {
      const value = values.get(name);
      if (!value) throw new UserError(`[tensor/testing] a value is read before it is made: name=${name}.`);
      return value;
    };
    spec.steps.forEach((step, i) => values.set(`s${i}`, applyStep(step, step.inputs.map(read))));
    return spec.outputs.map(read);
  };
}

/** Which inputs a program can be differentiated by. */
export function floatInputs(spec: ProgramSpec): readonly number[] {
  return spec.inputs.flatMap(({ dtype }, i) => (isFloating(dtype) ? [i] : []));
}

/**
 * (inputs, weights of the float results) -> the gradients, by every float input, of the weighted sum of the results. It can be
 * differentiated again by giving `fn` itself.
 */
export function gradientFunction(
  fn: (...inputs: readonly Tensor[]) => readonly Tensor[],
  by: readonly number[],
  count: number,
): (...inputs: readonly Tensor[]) => readonly Tensor[] {
  return (...all) => {
    const results = fn(...all.slice(0, count)).filter(({ dtype }) => isFloating(dtype));
    return gradients(
      results,
      by.map((i) => all[i]!),
      { cotangents: all.slice(count, count + results.length) },
    );
  };
}
