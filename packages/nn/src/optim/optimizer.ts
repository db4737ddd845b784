import { allocateHost, isFloating, flattenTree, tensor, Tensor, UserError, type Operand } from '@langevin/tensor';

/** Tensors by dotted parameter name, as in a state dict: `{ 'conv1.weight': ... }`. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

export interface UpdateOptions<P> {
  /** What is updated. */
  readonly params: P;
  /** Step size, >= 0. Pass it through the arguments of a compiled step, so that one graph serves every value. */
  readonly learningRate: Operand;
}

/**
 * A rule that moves parameters along gradients: a frozen value without hidden state, made for a compiled training step.
 *
 * Parameters are any tree of float32 tensors; integer tensors in it stay as they are. State is a plain object of tensors, so it is
 * donated, saved and restored like parameters.
 *
 * @example
 * const optimizer = adamW({ weightDecay: 0.01 });
 * type Params = { readonly w: Tensor };
 * const loss = (params: Params, x: Tensor) => mean(square(mul(params.w, x)));
 * const step = compile((params: Params, state: AdamState, learningRate: Tensor, x: Tensor) => {
 *   const { grad } = valueAndGrad(loss)(params, x);
 *   return optimizer.update(grad, state, { params, learningRate });
 * }, { donate: [0, 1] });
 * const fresh = { w: tensor([1]) };
 * const { params } = await step(fresh, optimizer.init(fresh), 0.1, tensor([2]));
 * await numbers(params.w); // => [0.8990]
 */
export interface Optimizer<State> {
  readonly name: string;
  /** State before the first step. */
  init<P>(params: P): State;
  /** One step: new parameters and new state, as nodes of the graph. @throws UserError when the trees differ in structure */
  update<P>(grads: P, state: State, options: UpdateOptions<P>): { readonly params: P; readonly state: State };
}

/** Which parameters weight decay applies to, by name and tensor: often those with two axes or more. */
export type DecayFilter = (name: string, parameter: Tensor) => boolean;

/** Zeros for every float parameter, each with storage of its own, so that it can be donated. */
export function zeroState(params: unknown): NamedTensors {
  const { leaves, names } = flattenTree(params);
  return Object.fromEntries(
    leaves.flatMap((leaf, i) =>
      isTrained(leaf) ? [[names[i]!, tensor(allocateHost(leaf.dtype, leaf.size), { shape: leaf.shape, dtype: leaf.dtype })]] : [],
    ),
  );
}

function isTrained(leaf: unknown): leaf is Tensor {
  return leaf instanceof Tensor && isFloating(leaf.dtype);
}

export interface Slot {
  readonly name: string;
  readonly parameter: Tensor;
  readonly grad: Tensor;
  /** What each state track holds for this parameter, in the order given. */
  readonly tracks: readonly Tensor[];
}

/** Apply one rule to every float parameter. The rule returns the new parameter, then the new entry of each track. */
export function updateEach<P>(
  trees: { readonly params: P; readonly grads: P; readonly tracks: readonly NamedTensors[] },
  rule: (slot: Slot) => readonly Tensor[],
): { readonly params: P; readonly tracks: readonly NamedTensors[] } {
  const { leaves, names, rebuild } = flattenTree(trees.params);
  const grads = flattenTree(trees.grads);
  const differing = names.find((name, i) => grads.names[i] !== name) ?? grads.names[names.length];
  if (differing !== undefined) {
    throw new UserError(
      `[nn/optim] gradients do not have the structure of the parameters: first difference at "${differing}". Differentiate by the `
        + 'same tree that you update.',
    );
  }
  const next: Record<string, Tensor>[] = trees.tracks.map(() => ({}));
  const updated = leaves.map((leaf, i) => {
    if (!isTrained(leaf)) return leaf;
    const name = names[i]!;
    if (leaf.dtype !== 'float32')
      throw new UserError(
        `[nn/optim] parameter is not float32: name=${name}, dtype=${leaf.dtype}. Keep a float32 copy to train and cast it in the `
          + 'forward pass.',
      );
    const tracks = trees.tracks.map((track) => {
      const entry = track[name];
      if (entry === undefined)
        throw new UserError(
          `[nn/optim] state has no entry for a parameter: name=${name}. Make the state with init() from these parameters, or `
            + 'restore one that was.',
        );
      return entry;
    });
    const [parameter, ...entries] = rule({ name, parameter: leaf, grad: grads.leaves[i] as Tensor, tracks });
    entries.forEach((entry, t) => (next[t]![name] = entry));
    return parameter;
  });
  return { params: rebuild(updated) as P, tracks: next };
}
