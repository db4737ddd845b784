import { inFloat32 } from '@langevin/nn';
import { compile, data, slice, UserError, type Engine, type Tensor } from '@langevin/tensor';
import type { Network } from '@langevin/core';
import { labelCount } from './image-network.ts';

export interface ForwardInput {
  readonly params: unknown;
  /** A scaled state [N, C, H, W]. */
  readonly x: Tensor;
  /** Its noise condition [N]. */
  readonly cNoise: Tensor;
  /** int32 [N], each below the network's number of classes; null where it takes none. */
  readonly labels: Tensor | null;
}

/** A network's forward pass, traced and compiled once for each shape it sees. */
export interface Forward {
  /**
   * The raw output [N, C, H, W].
   *
   * @throws UserError when a label is not one of the network's
   */
  readonly run: (input: ForwardInput) => Promise<Tensor>;
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

export function compileForward(network: Network<unknown>, { engine, weights = 'constant' }: ForwardOptions = {}): Forward {
  const classes = labelCount(network);
  const compiled = compile(
    (params: unknown, { x, cNoise, labels }: Omit<ForwardInput, 'params'>) =>
      predictionOf(network.apply(inFloat32(params), x, cNoise, labels ? { conditions: { label: labels } } : {}), x),
    { freeze: weights === 'constant' ? [0] : [], name: 'forward pass', ...(engine && { engine }) },
  );
  // The labels of a sampling run are one tensor for all of its steps: looked at once.
  let checked: Tensor | undefined;
  return {
    run: async ({ params, ...input }) => {
      const { labels } = input;
      if (labels !== null && labels !== checked) {
        const wrong = classes === undefined ? undefined : (await data(labels)).find((label) => label < 0 || label >= classes);
        if (wrong !== undefined)
          throw new UserError(
            `[pipelines/forward] label is not one of the network's: label=${wrong}, classes=${classes}. Give integers from 0 to `
              + `${classes! - 1}.`,
          );
        checked = labels;
      }
      return compiled(params, input);
    },
    traces: () => compiled.counters().traces,
    dispose: compiled.dispose,
  };
}

/** Without the variance, which stands behind it in networks that learned one. */
function predictionOf(output: Tensor, x: Tensor): Tensor {
  return output.shape[1] === x.shape[1] ? output : slice(output, { 1: { start: 0, stop: x.shape[1]! } });
}
