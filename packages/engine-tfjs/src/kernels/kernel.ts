import type { OpParams, PrimitiveName, ValueInfo } from '@langevin/tensor';
import type { Tensor } from '@tensorflow/tfjs-core';

/** What is known of a node when its graph is compiled. */
export interface NodeSite<Op extends PrimitiveName> {
  readonly params: OpParams[Op];
  readonly inputInfo: readonly ValueInfo[];
  readonly outputInfo: readonly ValueInfo[];
  /** TensorFlow.js' name of the backend: 'cpu', 'wasm', 'webgpu', 'tensorflow'. */
  readonly backend: string;
  /** Whether the backend has a TensorFlow.js kernel. */
  readonly has: (kernel: string) => boolean;
}

export interface NodeCall<Op extends PrimitiveName> extends NodeSite<Op> {
  readonly inputs: readonly Tensor[];
}

/**
 * How one primitive runs. `run` is called inside a tidy scope, so intermediates need no disposal; it must not dispose of its inputs.
 */
export interface Kernel<Op extends PrimitiveName> {
  /** The TensorFlow.js kernels that `run` calls, so that a backend without them is refused when the graph is compiled. */
  readonly needs: (site: NodeSite<Op>) => readonly string[];
  readonly run: (call: NodeCall<Op>) => Tensor | readonly Tensor[];
}

/** A kernel for every primitive: a missing one does not compile. */
export type KernelTable = { readonly [Op in PrimitiveName]: Kernel<Op> };

export type KernelFamily<Op extends PrimitiveName> = Pick<KernelTable, Op>;
