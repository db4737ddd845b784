import { sameShape, shapeOf, showShape, UserError, type Tensor } from '@langevin/tensor';

/** Losses do not broadcast: a [N] against a [N, 1] would silently make [N, N]. */
export function requireSameShape(loss: string, prediction: Tensor, target: Tensor): void {
  const where = `nn/${loss}`;
  if (!sameShape(shapeOf(where, prediction), shapeOf(where, target))) {
    throw new UserError(
      `[nn/${loss}] shapes differ: prediction=${showShape(prediction.shape)}, target=${showShape(target.shape)}. Losses do not `
        + 'broadcast: reshape one, or broadcastTo().',
    );
  }
}
