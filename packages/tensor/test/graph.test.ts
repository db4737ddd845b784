import { describe, expect, test } from 'vitest';
import {
  add,
  broadcastTo,
  cast,
  checkpoint,
  errorKind,
  exp,
  gradients,
  groupNorm,
  matmul,
  mul,
  ones,
  printGraph,
  reshape,
  silu,
  stopGradient,
  sum,
  tensor,
  traceGraph,
  transpose,
  verifyGraph,
  zeros,
  type Graph,
  type Tensor,
  type ValueInfo,
} from '@langevin/tensor';

const X: ValueInfo = { shape: [2, 3], dtype: 'float32' };
const opsOf = (graph: Graph): string[] => graph.nodes.map(({ op }) => op);

describe('building', () => {
  test('a printed graph', () => {
    const graph = traceGraph(
      (x, w) => sum(mul(matmul(x, w, { transposeB: true }), 0.5), { axes: -1 }),
      [X, { shape: [4, 3], dtype: 'float32' }],
    );
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "%0: float32[2, 3] = input
      %1: float32[4, 3] = input
      %3: float32[] = constant [0.5]
      %2: float32[2, 4] = matmul %0 %1 {transposeA: false, transposeB: true}
      %4: float32[2, 4] = mul %2 %3
      %5: float32[2] = sum %4 {axes: [1], keepDims: false}
      return %5"
    `);
    verifyGraph(graph);
  });

  test('a printed gradient', () => {
    const graph = traceGraph((x) => gradients([sum(silu(x!))], [x!]), [X]);
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "%0: float32[2, 3] = input
      %1: float32[] = constant [1]
      %2: float32[1, 1] = reshape %1 {shape: [1,1]}
      %4: float32[2, 3] = sigmoid %0
      %5: float32[2, 3] = mul %0 %4
      %6: float32[2, 3] = sub %1 %4
      %7: float32[2, 3] = mul %5 %6
      %8: float32[2, 3] = add %4 %7
      %9: float32[2, 3] = mul %2 %8
      return %9"
    `);
    verifyGraph(graph);
  });

  test('equal expressions are computed once', () => {
    expect(opsOf(traceGraph((x) => add(exp(mul(x!, 2)), exp(mul(x!, 2))), [X]))).toEqual(['mul', 'exp', 'add']);
  });

  test('equal expressions with other parameters are not', () => {
    expect(opsOf(traceGraph((x) => add(sum(x!, { axes: 0 }), sum(x!, { axes: 1, dims: 'keep' })), [X]))).toEqual(['sum', 'sum', 'add']);
  });

  test('an explicit broadcast is read through by elementwise ops', () => {
    expect(opsOf(traceGraph((x) => mul(x!, broadcastTo(tensor([1, 2, 3]), [2, 3])), [X]))).toEqual(['mul']);
  });

  test('a broadcast that gives the result its shape stays', () => {
    expect(opsOf(traceGraph((x) => add(broadcastTo(x!, [4, 2, 3]), 1), [X]))).toEqual(['broadcastTo', 'add']);
  });

  test('reshapes and transposes of themselves collapse', () => {
    expect(opsOf(traceGraph((x) => reshape(reshape(x!, [6]), [3, 2]), [X]))).toEqual(['reshape']);
    expect(opsOf(traceGraph((x) => add(reshape(reshape(x!, [6]), [2, 3]), 1), [X]))).toEqual(['add']);
    expect(opsOf(traceGraph((x) => add(transpose(transpose(x!)), 1), [X]))).toEqual(['add']);
    expect(traceGraph((x) => transpose(transpose(x!, [1, 2, 0]), [1, 2, 0]), [{ shape: [2, 3, 4], dtype: 'float32' }]).nodes).toMatchObject(
      [{ op: 'transpose', params: { permutation: [2, 0, 1] } }],
    );
  });

  test('what nothing reads is dropped', () => {
    const graph = traceGraph((x) => add(reshape(reshape(exp(x!), [6]), [2, 3]), stopGradient(cast(x!, 'float32'))), [X]);
    expect(opsOf(graph)).toEqual(['exp', 'add']);
  });

  test('composites stay whole for engines that know them, until a gradient goes through their definition', () => {
    const composites = new Set(['silu', 'groupNorm'] as const);
    expect(opsOf(traceGraph((x) => silu(x!), [X], { composites }))).toEqual(['silu']);
    expect(opsOf(traceGraph((x) => silu(x!), [X]))).toEqual(['sigmoid', 'mul']);
    const withGradient = (fn: (x: Tensor) => Tensor) =>
      traceGraph(
        (x) => {
          const y = fn(x!);
          return [y, ...gradients([sum(y)], [x!])];
        },
        [X],
        { composites },
      );
    const normed = withGradient((x) => groupNorm(x, { groups: 1, scale: ones([3]), bias: zeros([3]) }));
    expect(opsOf(normed)).not.toContain('groupNorm');
    expect(opsOf(normed).filter((op) => op === 'normalize')).toHaveLength(1);
    // silu has a gradient of its own, which computes its sigmoid again.
    const curved = withGradient(silu);
    expect(opsOf(curved)).toContain('silu');
    expect(opsOf(curved).filter((op) => op === 'sigmoid')).toHaveLength(1);
  });

  test('keys tell graphs apart by structure, parameters and constants, and by nothing else', () => {
    const key = (fn: (x: Tensor) => Tensor, info = X): string => traceGraph((x) => fn(x!), [info]).key;
    const base = key((x) => mul(x, tensor([1, 2, 3])));
    expect(key((x) => mul(x, tensor([1, 2, 3])))).toBe(base);
    expect(key((x) => mul(x, tensor([1, 2, 4])))).not.toBe(base);
    expect(key((x) => add(x, tensor([1, 2, 3])))).not.toBe(base);
    expect(key((x) => mul(x, tensor([1, 2, 3])), { shape: [1, 3], dtype: 'float32' })).not.toBe(base);
    expect(key((x) => mul(x, 0))).not.toBe(key((x) => mul(x, -0)));
    expect(key((x) => mul(x, Infinity))).not.toBe(key((x) => mul(x, NaN)));
  });

  test('recomputed values are not merged with the first ones', () => {
    const block = checkpoint((a: Tensor) => exp(exp(a)));
    const graph = traceGraph(
      (x) => {
        const y = block(x!);
        return [y, ...gradients([sum(y)], [x!])];
      },
      [X],
    );
    expect(opsOf(graph)).toContain('barrier');
    expect(opsOf(graph).filter((op) => op === 'exp').length).toBeGreaterThan(2);
  });

  test('a deep chain does not exhaust the stack', () => {
    const graph = traceGraph(
      (x) => {
        let y = x!;
        for (let i = 0; i < 20_000; i++) y = add(y, x!);
        return gradients([sum(y)], [x!]);
      },
      [X],
    );
    expect(graph.nodes.length).toBeGreaterThan(10_000);
  });
});

describe('verifyGraph', () => {
  const graph = traceGraph((x) => sum(exp(mul(x!, ones([3])))), [X]);
  const corrupted: readonly (readonly [name: string, graph: Graph, message: RegExp])[] = [
    [
      'a result of another shape',
      { ...graph, values: graph.values.map((v, i) => (i === graph.nodes[0]!.outputs[0] ? { ...v, shape: [3, 2] } : v)) },
      /mul gives float32\[2, 3\], but %\d+ is float32\[3, 2\]/,
    ],
    [
      'a result of another dtype',
      { ...graph, values: graph.values.map((v, i) => (i === graph.outputs[0] ? { ...v, dtype: 'int32' as const } : v)) },
      /sum gives float32\[\], but %\d+ is int32\[\]/,
    ],
    ['nodes out of order', { ...graph, nodes: [...graph.nodes].reverse() }, /sum uses a value before its definition/],
    ['a node twice', { ...graph, nodes: [...graph.nodes, graph.nodes[0]!] }, /value is defined twice: %\d+, again by mul/],
    ['an output that nothing computes', { ...graph, nodes: graph.nodes.slice(0, -1) }, /return uses a value before its definition/],
    [
      'a constant of the wrong size',
      { ...graph, constants: graph.constants.map((c) => ({ ...c, data: new Float32Array(7) })) },
      /constant %\d+ has 7 elements, its shape 1/,
    ],
    ['an unknown value', { ...graph, inputs: [99] }, /input defines an unknown value: %99/],
    ['an unknown op', { ...graph, nodes: [{ ...graph.nodes[0]!, op: 'fft' as never }] }, /op is unknown: op=fft/],
    [
      'an input that the rule refuses',
      { ...graph, nodes: [{ ...graph.nodes[0]!, op: 'logicalNot' as never }] },
      /logicalNot does not accept its inputs/,
    ],
    ['too few results', { ...graph, nodes: [{ ...graph.nodes[0]!, outputs: [] }] }, /mul has 0 outputs, its rule gives 1/],
  ];

  test('accepts what was built', () => verifyGraph(graph));

  test.each(corrupted)('refuses %s', (_, bad, message) => {
    const error = ((): unknown => {
      try {
        verifyGraph(bad);
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(errorKind(error)).toBe('internal');
    expect((error as Error).message).toMatch(message);
  });
});
