import { isFloating, type DType } from '../../dtype.ts';
import { UserError } from '../../errors.ts';
import { sizeOf, type Shape } from '../../shape.ts';
import { Tensor } from '../../tensor.ts';
import { applyStep } from './interpret.ts';
import { mixed, type Attributes, type DrawKind, type ProgramInput, type ProgramSpec, type ProgramStep } from './spec.ts';

/** Larger values make slow programs, and find nothing more. */
const LARGEST = 256;

/** A sequence of random choices, the same for the same seed. */
export class Dice {
  readonly #seed: number;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return mixed(this.#seed ^ 0x5bd1e995, this.#count++) % n;
  }

  /** An integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True once in n times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** A multiple of 1/8 in [-2, 2] that is not 0: exact in every float. */
  number(): number {
    const eighths = this.between(1, 16);
    return (this.oneIn(2) ? eighths : -eighths) / 8;
  }
}

export interface NewInput {
  readonly dtype?: DType;
  readonly draw?: DrawKind;
  readonly low?: number;
  readonly high?: number;
}

/** What a draft draws its inputs from. */
export interface DraftOptions {
  readonly kind: string;
  readonly seed: number;
  /** How float inputs are drawn. @default 'smooth' */
  readonly draw?: DrawKind;
  /** @default 'float32' */
  readonly dtype?: DType;
}

/** A program that grows. Every value has its tensor, so that shapes and dtypes are those of the ops' own rules. */
export class Draft {
  readonly dice: Dice;
  readonly options: DraftOptions;
  readonly #inputs: ProgramInput[] = [];
  readonly #steps: ProgramStep[] = [];
  readonly #values = new Map<string, Tensor>();

  constructor(options: DraftOptions) {
    this.options = options;
    this.dice = new Dice(options.seed);
  }

  get length(): number {
    return this.#steps.length;
  }

  tensor(name: string): Tensor {
    return this.#values.get(name)!;
  }

  shape(name: string): Shape {
    return this.tensor(name).shape;
  }

  /** Names of values that satisfy a condition, oldest first. */
  those(condition: (value: Tensor, name: string) => boolean): string[] {
    return [...this.#values].filter(([name, value]) => condition(value, name)).map(([name]) => name);
  }

  /** A value that satisfies a condition; the newest ones are the most likely, so that programs grow deep. */
  pick(condition: (value: Tensor) => boolean): string | undefined {
    const names = this.those(condition);
    if (names.length === 0) return undefined;
    return this.dice.oneIn(2) ? names.at(-1)! : this.dice.of(names);
  }

  float(condition: (value: Tensor) => boolean = () => true): string | undefined {
    return this.pick((value) => isFloating(value.dtype) && condition(value));
  }

  input(shape: Shape, { dtype = this.options.dtype ?? 'float32', draw, low, high }: NewInput = {}): string {
    const kind = draw ?? (dtype === 'bool' ? 'flags' : isFloating(dtype) ? (this.options.draw ?? 'smooth') : 'integers');
    const bounds = kind === 'integers' ? { low: low ?? (dtype === 'uint8' ? 0 : -5), high: high ?? 6 } : {};
    const name = `x${this.#inputs.length}`;
    this.#inputs.push({ shape, dtype, draw: kind, seed: mixed(this.options.seed, 1000 + this.#inputs.length), ...bounds });
    this.#values.set(name, new Tensor(shape, dtype, { kind: 'placeholder', name }));
    return name;
  }

  /** Add a step; undefined when the op refuses it or its result is too large. */
  step(op: string, inputs: readonly string[], attributes: Attributes = {}): string | undefined {
    const step: ProgramStep = { op, inputs, attributes };
    let result: Tensor;
    try {
      result = applyStep(
        step,
        inputs.map((name) => this.tensor(name)),
      );
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
    if (sizeOf(result.shape) > LARGEST || result.shape.length > 6) return undefined;
    const name = `s${this.#steps.length}`;
    this.#steps.push(step);
    this.#values.set(name, result);
    return name;
  }

  /** x brought to where a function is smooth and moderate: above 1/2, or into (-1, 1). */
  tamed(x: string | undefined, to: 'positive' | 'bounded'): string | undefined {
    if (x === undefined || this.options.draw === 'special') return x;
    const bounded = this.step('tanh', [x]);
    if (to === 'bounded' || bounded === undefined) return bounded;
    const positive = this.step(this.dice.oneIn(2) ? 'sigmoid' : 'square', [bounded]);
    return positive && this.step('add', [positive], { scalar: 0.5 });
  }

  /** The program that returns its last value and perhaps some others. */
  finish(): ProgramSpec | undefined {
    if (this.#steps.length === 0) return undefined;
    const names = this.#steps.map((_, i) => `s${i}`);
    const last = names.at(-1)!;
    const others = names.slice(0, -1).filter(() => this.dice.oneIn(4));
    const { kind, seed } = this.options;
    return pruned({ kind, seed, inputs: this.#inputs, steps: this.#steps, outputs: [last, ...others.slice(-2)] });
  }
}

/** A program without the steps and inputs that no output needs, renumbered. */
export function pruned(spec: ProgramSpec): ProgramSpec {
  const needed = new Set(spec.outputs);
  for (let i = spec.steps.length - 1; i >= 0; i--) if (needed.has(`s${i}`)) spec.steps[i]!.inputs.forEach((name) => needed.add(name));
  const names = new Map<string, string>();
  const inputs = spec.inputs.filter((_, i) => needed.has(`x${i}`) && names.set(`x${i}`, `x${names.size}`));
  const kept = spec.steps.flatMap((step, i) => (needed.has(`s${i}`) ? [{ step, name: `s${i}` }] : []));
  kept.forEach(({ name }, i) => names.set(name, `s${i}`));
  const steps = kept.map(({ step }) => ({ ...step, inputs: step.inputs.map((name) => names.get(name)!) }));
  return { ...spec, inputs, steps, outputs: spec.outputs.map((name) => names.get(name)!) };
}
