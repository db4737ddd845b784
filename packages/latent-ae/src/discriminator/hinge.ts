import { add, checkNumber, maximum, mean, mul, neg, sub, type Tensor } from '@langevin/tensor';

/** What its logits cost a discriminator: (mean relu(1 - D(real)) + mean relu(1 + D(fake))) / 2 (Lim and Ye 2017, arXiv:1705.02894). */
export function hingeLoss(real: Tensor, fake: Tensor): Tensor {
  return mul(add(mean(maximum(sub(1, real), 0)), mean(maximum(add(1, fake), 0))), 0.5);
}

/** What they cost whoever made the fakes: -mean D(fake). */
export function adversarialLoss(fake: Tensor): Tensor {
  return neg(mean(fake));
}

/** @throws UserError for a weight of R1 out of range */
export function checkR1(where: string, r1: number): void {
  checkNumber(where, { r1 }, { atLeast: 0, atMost: 1e6 });
}
