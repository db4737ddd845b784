import { named, type Generator, type Tensor } from '@langevin/tensor';
import type { Mode } from './mode.ts';

/**
 * A part of a network: a frozen value that makes parameters and applies them. It holds no parameters itself.
 *
 * Parameters are plain objects and lists of tensors, whose dotted names are those of PyTorch's state dict
 * (`down_blocks.0.resnets.1.conv1.weight`).
 */
export interface Module<Params, Inputs extends readonly unknown[], Output> {
  /** Fresh parameters; draws from the generator in the order in which PyTorch's constructors would. */
  init(generator: Generator): Params;
  /** Pure: builds graph nodes; the same parameters and inputs give the same result. */
  apply(params: Params, ...inputs: Inputs): Output;
}

/** A module from tensor to tensor. Without a mode it evaluates. */
export type Layer<Params> = Module<Params, readonly [x: Tensor, mode?: Mode], Tensor>;

/** The parameters of a module: `type Params = ParamsOf<typeof net>`. */
export type ParamsOf<M> = M extends Module<infer Params, infer _Inputs, infer _Output> ? Params : never;

/** Parameters of modules that have none. */
export type NoParams = Readonly<Record<string, never>>;

/**
 * A module as a frozen value.
 *
 * @example
 * const double = defineModule({ init: () => ({}), apply: (_: object, x: Tensor) => add(x, x) });
 * await numbers(double.apply({}, tensor([1, 2]))); // => [2, 4]
 */
export function defineModule<Params, Inputs extends readonly unknown[], Output>(
  parts: Module<Params, Inputs, Output>,
): Module<Params, Inputs, Output> {
  return Object.freeze({ ...parts });
}

/** The same module, whose errors say where it stands: `Traced at mid_block.resnets.0.conv1.` */
export function scoped<Params, Inputs extends readonly unknown[], Output>(
  name: string,
  module: Module<Params, Inputs, Output>,
): Module<Params, Inputs, Output> {
  return defineModule({
    init: (generator: Generator) => module.init(generator),
    apply: (params: Params, ...inputs: Inputs) => named(name, () => module.apply(params, ...inputs)),
  });
}

/** A layer without parameters. */
export function functional(fn: (x: Tensor, mode?: Mode) => Tensor): Layer<NoParams> {
  return defineModule({ init: () => ({}), apply: (_: NoParams, x: Tensor, mode?: Mode) => fn(x, mode) });
}
