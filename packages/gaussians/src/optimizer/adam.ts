/** Numbers of the rule. */
export interface AdamRule {
  /** @default 0.9 */
  readonly beta1?: number;
  /** @default 0.999 */
  readonly beta2?: number;
  /** @default 1e-15, as in the paper: gradients of Gaussians are tiny */
  readonly epsilon?: number;
}

/** Running means of the gradient and of its square, in the shape of the parameter. */
export interface Moments {
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

export function zeroMoments(length: number): Moments {
  return { mean: new Float32Array(length), square: new Float32Array(length) };
}

/** Columns `from` up to `to` of each row, and how fast they learn. */
export interface AdamColumns {
  readonly rowLength: number;
  readonly from: number;
  readonly to: number;
  readonly rate: number;
}

/** A step of Adam on some columns. */
export interface AdamStep {
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  readonly moments: Moments;
  readonly columns: AdamColumns;
  /** Steps including this one, >= 1. */
  readonly step: number;
}

/** The numbers of {@link AdamRule} by default. */
export const RULE: Required<AdamRule> = { beta1: 0.9, beta2: 0.999, epsilon: 1e-15 };

/**
 * One step of Adam (Kingma & Ba 2015, Algorithm 1) on some columns, in place; the same numbers as torch.optim.Adam up to rounding to
 * float32.
 */
export function adamStep(at: AdamStep, rule: AdamRule = {}): void {
  const { values, gradient, moments, columns, step } = at;
  const { beta1, beta2, epsilon } = { ...RULE, ...rule };
  const { rowLength, from, to, rate } = columns;
  const { mean, square } = moments;
  const size = rate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  for (let row = from; row < values.length; row += rowLength) {
    const end = row + to - from;
    for (let i = row; i < end; i++) {
      const g = gradient[i]!;
      const m = (mean[i] = beta1 * mean[i]! + (1 - beta1) * g);
      const v = (square[i] = beta2 * square[i]! + (1 - beta2) * g * g);
      values[i] = values[i]! - (size * m) / (Math.sqrt(v) * correction + epsilon);
    }
  }
}
