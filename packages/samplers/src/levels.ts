import { type NoiseLevel, relativeSigma, sigmaLevel } from '@langevin/core';
import { isWithin, shownValue, UserError, type NumberRange } from '@langevin/tensor';
import { isObject } from './check-option.ts';

/**
 * Levels of EDM units (alpha = 1) from a list of sigmas, such as karrasSigmas() gives.
 *
 * @throws UserError when the list is no grid: fewer than 2 entries, not strictly decreasing, negative
 * @example
 * sigmaLevels([1, 0]); // => [{ alpha: 1, sigma: 1 }, { alpha: 1, sigma: 0 }]
 */
export function sigmaLevels(sigmas: ArrayLike<number>): readonly NoiseLevel[] {
  if (!Array.isArray(sigmas) && !ArrayBuffer.isView(sigmas))
    throw new UserError(`[samplers/levels] sigmas are a list: sigmas=${shownValue(sigmas)}. Build them with karrasSigmas().`);
  const list = Array.from(sigmas);
  checkCount('sigmas', list.length);
  list.forEach((sigma, i) => {
    if (!isWithin(sigma, LEVEL))
      throw new UserError(
        `[samplers/levels] sigmas must be finite and >= 0: sigmas[${i}]=${shownValue(sigma)}. Build them with karrasSigmas().`,
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

const BUILD = 'Build them with a spacing, such as karras().levels(edm(), { steps: 18 }).';

/** Throws unless a value is a list of levels, without holes. `where` is the part of the package that was called. */
export function checkLevelList(where: string, levels: unknown): asserts levels is readonly NoiseLevel[] {
  if (!Array.isArray(levels)) throw new UserError(`[samplers/${where}] levels are a list: levels=${shownValue(levels)}. ${BUILD}`);
  // Array.from fills holes, which forEach passes over.
  Array.from(levels as readonly unknown[]).forEach((level, i) => {
    const { alpha, sigma } = isObject(level) ? level : { alpha: undefined, sigma: undefined };
    if (isWithin(alpha, LEVEL) && isWithin(sigma, LEVEL) && alpha + sigma > 0) return;
    const shown = isObject(level) ? `{ alpha: ${shownValue(alpha)}, sigma: ${shownValue(sigma)} }` : shownValue(level);
    throw new UserError(`[samplers/${where}] a level has alpha >= 0 and sigma >= 0, not both 0: levels[${i}]=${shown}. ${BUILD}`);
  });
}

const LEVEL: NumberRange = { atLeast: 0 };

/** Throws unless levels are a grid to sample on: two or more, noise falling strictly, only the last without noise. */
export function checkLevels(levels: unknown): asserts levels is readonly NoiseLevel[] {
  checkLevelList('levels', levels);
  checkCount('levels', levels.length);
  levels.forEach((level, i) => {
    if (i === 0) return;
    const [before, now] = [relativeSigma(levels[i - 1]!), relativeSigma(level)];
    if (now < before) return;
    throw new UserError(
      `[samplers/levels] sigma / alpha must be strictly decreasing: levels[${i - 1}] has ${before}, levels[${i}] has ${now}. ${BUILD}`,
    );
  });
}

function checkCount(name: string, count: number): void {
  if (count >= 2) return;
  throw new UserError(
    `[samplers/levels] a run leads from one level to another: ${name}.length=${count}. Pass at least 2; karrasSigmas({ steps: 18 `
      + '}) gives 19.',
  );
}
