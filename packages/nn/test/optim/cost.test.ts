import { adam, adamW, lion, rAdam, sgd, updateAverage, type Optimizer } from '@langevin/nn';
import { tensor, traceGraph, type Tensor } from '@langevin/tensor';
import { expect, it } from 'vitest';

/** Graph nodes that an update adds for each further parameter, and nodes that all parameters share. */
function cost<State>(optimizer: Optimizer<State>): { perParameter: number; shared: number } {
  const nodes = (count: number): number => {
    const sizes = Array.from({ length: count }, (_, i) => [i + 2]);
    const graph = traceGraph(
      (...args) => {
        const [lr, ...rest] = args as readonly [Tensor, ...Tensor[]];
        const half = rest.slice(0, count);
        return optimizer.update(rest.slice(count), optimizer.init(half.map((x) => tensor(new Float32Array(x.size), { shape: x.shape }))), {
          params: half,
          learningRate: lr,
        });
      },
      [[], ...sizes, ...sizes].map((shape) => ({ shape, dtype: 'float32' as const })),
    );
    return graph.nodes.length;
  };
  const perParameter = nodes(4) - nodes(3);
  expect(nodes(8) - nodes(7)).toBe(perParameter);
  return { perParameter, shared: nodes(1) - perParameter };
}

// Elementwise passes over parameters are the price of a step: 3 M parameters in 150 tensors make these counts worth pinning.
it.each([
  ['sgd', sgd(), 2],
  ['sgd with momentum', sgd({ momentum: 0.9 }), 4],
  ['adam', adam(), 10],
  ['adamW', adamW(), 11],
  ['rAdam', rAdam(), 11],
  ['lion', lion(), 7],
])('%s costs few passes a parameter', (_, optimizer, passes) => {
  const { perParameter, shared } = cost(optimizer as Optimizer<unknown>);
  expect(perParameter).toBe(passes);
  expect(shared).toBeLessThan(50);
});

it('a moving average costs three', () => {
  const one = { shape: [5], dtype: 'float32' } as const;
  expect(traceGraph((a, p, w) => updateAverage(a, p, w!), [one, one, { shape: [], dtype: 'float32' }]).nodes).toHaveLength(3);
});
