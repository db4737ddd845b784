import { relativeSigma, sigmaLevel, type NoiseLevel } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';

/**
 * Levels of EDM units (alpha = 1) from a list of sigmas, such as karrasSigmas() gives.
 *
 * @throws UserError when the list is no grid: fewer than 2 entries, not strictly decreasing, negative
 * @example
 * sigmaLevels([1, 0]); // => [{ alpha: 1, sigma: 1 }, { alpha: 1, sigma: 0 }]
 */
export function sigmaLevels(sigmas: ArrayLike<number>): readonly NoiseLevel[] {
  const list = Array.from(sigmas);
  checkCount('sigmas', list.length);
  list.forEach((sigma, i) => {
    if (!(Number.isFinite(sigma) && sigma >= 0))
      throw new UserError(
        `[samplers/levels] sigmas must be finite and >= 0: sigmas[${i}]=${String(sigma)}. Build them with karrasSigmas().`,
      );
    if (i > 0 && sigma >= list[i - 1]!) {
      throw new UserError(
        `[samplers/levels] sigmas must be strictly decreasing: sigmas[${i - 1}]=${list[i - 1]}, sigmas[${i}]=${sigma}. Build them `
          + 'with karrasSigmas().',
      );
    }
  });
  return list.map(sigmaLevel);
}

/** Throws unless levels are a grid to sample on: two or more, noise falling strictly, only the last without noise. */
export function checkLevels(levels: readonly NoiseLevel[]): void {
  checkCount('levels', levels.length);
  levels.forEach(({ alpha, sigma }, i) => {
    if (!(Number.isFinite(alpha) && Number.isFinite(sigma) && alpha >= 0 && sigma >= 0 && alpha + sigma > 0)) {
      throw new UserError(
        `[samplers/levels] a level has alpha >= 0 and sigma >= 0, not both 0: levels[${i}]={ alpha: ${alpha}, sigma: ${sigma} }. `
          + 'Build them with a spacing, such as karras().levels(edm(), { steps: 18 }).',
      );
    }
    if (i === 0) return;
    const [before, now] = [relativeSigma(levels[i - 1]!), relativeSigma(levels[i]!)];
    if (!(now < before)) {
      throw new UserError(
        `[samplers/levels] sigma / alpha must be strictly decreasing: levels[${i - 1}] has ${before}, levels[${i}] has ${now}. `
          + 'Build them with a spacing, such as karras().levels(edm(), { steps: 18 }).',
      );
    }
  });
}

function checkCount(name: string, count: number): void {
  if (count >= 2) return;
  throw new UserError(
    `[samplers/levels] a run leads from one level to another: ${name}.length=${count}. Pass at least 2; karrasSigmas({ steps: 18 `
      + '}) gives 19.',
  );
}
