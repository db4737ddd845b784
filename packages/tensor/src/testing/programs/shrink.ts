import { sameShape } from '../../shape.ts';
import type { Tensor } from '../../tensor.ts';
import { pruned } from './draft.ts';
import { shapesOf } from './generate.ts';
import type { ProgramInput, ProgramSpec } from './spec.ts';

/** Every value of a program, by name, or undefined when it does not build. */
function valuesOf(spec: ProgramSpec): ReadonlyMap<string, Tensor> | undefined {
  const names = spec.steps.map((_, i) => `s${i}`);
  const tensors = shapesOf({ ...spec, outputs: names });
  return tensors && new Map(names.map((name, i) => [name, tensors[i]!]));
}

/** The program with every reading of one value turned into a reading of another. */
function rewired(spec: ProgramSpec, from: string, to: string): ProgramSpec {
  const name = (value: string): string => (value === from ? to : value);
  return {
    ...spec,
    steps: spec.steps.map((step) => ({ ...step, inputs: step.inputs.map(name) })),
    outputs: [...new Set(spec.outputs.map(name))],
  };
}

/** Programs that are one simplification away, the boldest first. */
function* simpler(spec: ProgramSpec): Generator<ProgramSpec> {
  const values = valuesOf(spec);
  if (!values) return;
  if (spec.outputs.length > 1) for (const output of spec.outputs) yield { ...spec, outputs: [output] };
  // An earlier value as the result.
  for (let i = 0; i < spec.steps.length; i++) if (!spec.outputs.includes(`s${i}`)) yield { ...spec, outputs: [`s${i}`] };
  for (let i = spec.steps.length - 1; i >= 0; i--) {
    const value = values.get(`s${i}`)!;
    // A step left out, where its operand fits in its place.
    for (const operand of spec.steps[i]!.inputs) {
      const info = values.get(operand) ?? spec.inputs[Number(operand.slice(1))]!;
      if (sameShape(info.shape, value.shape) && info.dtype === value.dtype) yield rewired(spec, `s${i}`, operand);
    }
    // A step made an input.
    if (spec.steps.length > 1 && !spec.outputs.includes(`s${i}`)) {
      const draw = value.dtype === 'bool' ? 'flags' : value.dtype.startsWith('float') ? 'smooth' : 'integers';
      const fresh: ProgramInput = { shape: value.shape, dtype: value.dtype, draw, seed: 17 + i };
      yield rewired({ ...spec, inputs: [...spec.inputs, fresh] }, `s${i}`, `x${spec.inputs.length}`);
    }
  }
  // Smaller inputs, where the program still builds.
  for (const [i, input] of spec.inputs.entries()) {
    for (const [axis, n] of input.shape.entries()) {
      if (n <= 1) continue;
      const shape = input.shape.map((size, d) => (d === axis ? 1 : size));
      yield { ...spec, inputs: spec.inputs.map((other, j) => (j === i ? { ...other, shape } : other)) };
    }
  }
}

/** The smallest program that is found by simplifying one step at a time and still fails. */
export async function shrinkProgram(spec: ProgramSpec, fails: (candidate: ProgramSpec) => Promise<boolean>): Promise<ProgramSpec> {
  let current = spec;
  let tries = 0;
  for (let progress = true; progress;) {
    progress = false;
    for (const candidate of simpler(current)) {
      if (++tries > 400) return current;
      const next = pruned(candidate);
      if (next.steps.length === 0 || !shapesOf(next) || !(await fails(next))) continue;
      current = next;
      progress = true;
      break;
    }
  }
  return current;
}
