import { compile, type Engine, type Tensor } from '@langevin/tensor';
import type { ImageBackbone } from './image-backbone.ts';

/** A network's forward pass, traced and compiled once for each shape it sees. */
export interface Forward {
  /** Raw output [N, C, H, W] for a scaled state [N, C, H, W], its noise condition [N], and int32 labels [N] where it takes any. */
  readonly run: (params: unknown, x: Tensor, cNoise: Tensor, labels: Tensor | null) => Promise<Tensor>;
  /** How often it was traced and compiled. */
  readonly traces: () => number;
  readonly dispose: () => Promise<void>;
}

export interface ForwardOptions {
  /** @default the default engine */
  readonly engine?: Engine | undefined;
  /**
   * `constant` builds the weights into the compiled graph, where engines lay them out for speed: for one set that is used many times.
   * `input` feeds them, so that other weights need no other compilation: for a model in training. @default 'constant'
   */
  readonly weights?: 'constant' | 'input';
}

export function compileForward({ network }: ImageBackbone, { engine, weights = 'constant' }: ForwardOptions = {}): Forward {
  const compiled = compile(
    (params: unknown, x: Tensor, cNoise: Tensor, labels: Tensor | null) =>
      network.apply(params, x, cNoise, labels ? { classLabels: labels } : {}),
    { freeze: weights === 'constant' ? [0] : [], name: 'forward pass', ...(engine && { engine }) },
  );
  return { run: compiled, traces: () => compiled.counters().traces, dispose: compiled.dispose };
}
