import { checkLevel, lambdaOf, type NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';

/**
 * The variable in which the probability-flow ODE is solved. With states scaled to alpha = cos(phi), sigma = sin(phi), any Gaussian
 * process is the same ODE, and in w = log tan(phi / 2) it is dx/dw = alpha x - D(x): finite at pure noise, where w = 0, and without the
 * division by sigma that other variables have; the clean end is at w = -Infinity. No derivative of the process is needed.
 *
 * @throws UserError for a clean level
 */
export function angleOf(where: string, name: string, level: NoiseLevel): number {
  checkLevel(where, name, level);
  if (level.sigma === 0)
    throw new UserError(
      `[${where}] the flow has no start at a clean level, where densities may be infinite: ${name}={ alpha: ${level.alpha}, sigma: `
        + '0 }. Take a little noise, such as process.level(process.span.min).',
    );
  // sinh(-w) = alpha / sigma
  return 0 - Math.asinh(Math.exp(lambdaOf(level)));
}

/** The level of w, with alpha^2 + sigma^2 = 1. */
export function levelAtAngle(w: number): NoiseLevel {
  return { alpha: Math.abs(Math.tanh(w)), sigma: 1 / Math.cosh(w) };
}

/** What a level's states are divided by to have alpha^2 + sigma^2 = 1. */
export function normOf({ alpha, sigma }: NoiseLevel): number {
  return Math.hypot(alpha, sigma);
}
