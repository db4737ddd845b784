/**
 * Lagrange polynomials over distinct nodes as monomial coefficients: L_k(u) = sum over j of result[k][j] u^j, with
 * L_k(nodes[k]) = 1 and 0 at the other nodes.
 *
 * @example
 * lagrange([0, -1]); // => [[1, 1], [0, -1]]
 */
export function lagrange(nodes: readonly number[]): readonly (readonly number[])[] {
  return nodes.map((own, k) =>
    nodes.reduce<number[]>(
      (polynomial, node, i) => {
        if (i === k) return polynomial;
        // times (u - node) / (own - node)
        const scale = 1 / (own - node);
        return Array.from(
          { length: polynomial.length + 1 },
          (_, j) => scale * ((polynomial[j - 1] ?? 0) - node * (polynomial[j] ?? 0)) + 0,
        );
      },
      [1],
    ),
  );
}

/** The weight of each node when the integral of u^j against some kernel is moments[j]: exact for polynomials through the nodes. */
export function nodeWeights(nodes: readonly number[], moments: readonly number[]): readonly number[] {
  return lagrange(nodes).map((polynomial) => polynomial.reduce((sum, c, j) => sum + c * moments[j]!, 0));
}

/**
 * Adams-Bashforth weights on an uneven grid: the integral of a function from `from` to `to` is about the sum of weight times
 * its value at each node, exactly for polynomials of degree below the number of nodes.
 *
 * @example
 * adamsWeights({ nodes: [0, -1], from: 0, to: 1 }); // => [1.5, -0.5]
 */
export function adamsWeights({
  nodes,
  from,
  to,
}: {
  readonly nodes: readonly number[];
  readonly from: number;
  readonly to: number;
}): readonly number[] {
  // In units of the step, where nothing overflows or cancels.
  const length = to - from;
  const moments = nodes.map((_, j) => length / (j + 1));
  return nodeWeights(
    nodes.map((node) => (node - from) / length),
    moments,
  );
}

/** Weights of Adams and Bashforth for even steps, latest value first, for histories of one to four values. */
export const EVEN_ADAMS = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
] as const satisfies readonly (readonly number[])[];
