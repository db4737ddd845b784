import type { Operand, Scope } from './scope.ts';

export interface Affine {
  readonly scale: Operand | string;
  readonly bias: Operand | string;
  readonly channels: number;
}

/** x * scale + bias along axis 1 in one pass: batch normalisation by mean 0 and variance 1. */
export function affine(scope: Scope, x: Operand, { scale, bias, channels }: Affine): string {
  const mean = scope.fill('float32', 0, [channels]);
  const variance = scope.fill('float32', 1, [channels]);
  return scope.emit('BatchNormalization', [x, scale, bias, mean, variance], { attributes: { epsilon: { float: 0 } } });
}
