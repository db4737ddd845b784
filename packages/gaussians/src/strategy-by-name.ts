import { strategies } from './strategies/index.ts';
import type { Strategy } from './strategies/strategy.ts';

/** Options of a strategy, whichever it is: they are checked when it is made. */
export type StrategyOptions = Readonly<Record<string, number | string>>;

/**
 * A strategy by its name: `default`, `absgrad` or `mcmc`.
 *
 * @param known the strategies to choose from; add your own with `strategies.with()`. @default the ones of this package
 * @throws UserError when no strategy is called so, or it has no such option
 * @example
 * strategyByName('mcmc', { cap: 200_000 }).options['cap']; // => 200000
 */
export function strategyByName(name: string, options: StrategyOptions = {}, known = strategies): Strategy {
  return known.create(name, options);
}
