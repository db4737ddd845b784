import { didYouMean, shownValue, UserError } from '@langevin/tensor';
import { absgradStrategy } from './absgrad.ts';
import { defaultStrategy } from './default.ts';
import type { DensifyOptions } from './densify.ts';
import { mcmcStrategy, type McmcOptions } from './mcmc.ts';
import type { Strategy } from './strategy.ts';

/** Options of a strategy, whichever it is: they are checked when it is made. */
export type StrategyOptions = Readonly<Record<string, number | string>>;

/** The strategies that come with the package, by name. */
export const strategies: Readonly<Record<string, (options?: StrategyOptions) => Strategy>> = Object.freeze({
  // Each looks at what it is given.
  default: (options) => defaultStrategy(options as DensifyOptions),
  absgrad: (options) => absgradStrategy(options as DensifyOptions),
  mcmc: (options) => mcmcStrategy(options as McmcOptions),
});

/**
 * A strategy by its name: `default`, `absgrad` or `mcmc`.
 *
 * @throws UserError when no strategy is called so, or it has no such option
 * @example
 * strategyByName('mcmc', { cap: 200_000 }).options['cap']; // => 200000
 */
export function strategyByName(name: string, options: StrategyOptions = {}): Strategy {
  const known = Object.keys(strategies);
  const make = Object.hasOwn(strategies, name) ? strategies[name] : undefined;
  if (make === undefined)
    throw new UserError(
      `[gaussians/strategies] unknown strategy: ${shownValue(name)}.${didYouMean(name, known)} Known: ${known.join(', ')}.`,
    );
  return make(options);
}
