import { add, checkNumber, maximum, mean, mul, neg, sub, type Tensor } from '@langevin/tensor';

/** What the logits of a discriminator cost it: 0.5 (mean relu(1 - D(real)) + mean relu(1 + D(fake))) (Lim and Ye 2017, arXiv:1705.02894). */
export function hingeLoss(real: Tensor, fake: Tensor): Tensor {
  return mul(add(mean(maximum(sub(1, real), 0)), mean(maximum(add(1, fake), 0))), 0.5);
}

/** What they cost whoever made the fakes: -mean D(fake). */
export function adversarialLoss(fake: Tensor): Tensor {
  return neg(mean(fake));
}

/** R1: gamma / 2 times the squared gradient of the logits at real items, averaged over them (Mescheder et al. 2018, arXiv:1801.04406, eq. 9). */
export const R1_LIMITS = { atLeast: 0, atMost: 1e6 } as const;

/** @throws UserError for a weight out of range */
export function checkR1(where: string, r1: number): void {
  checkNumber(where, { r1 }, R1_LIMITS);
}
