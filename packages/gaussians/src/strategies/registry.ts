import { didYouMean, UserError } from '@langevin/tensor';
import { absgradStrategy } from './absgrad.ts';
import { defaultStrategy } from './default.ts';
import { mcmcStrategy } from './mcmc.ts';
import type { Strategy } from './strategy.ts';

/** The strategies that come with the package, by name. */
export const strategies: Readonly<Record<string, (options?: Readonly<Record<string, number>>) => Strategy>> = Object.freeze({
  default: defaultStrategy,
  absgrad: absgradStrategy,
  mcmc: mcmcStrategy,
});

/** @throws UserError when no strategy is called so */
export function strategyByName(name: string, options: Readonly<Record<string, number>> = {}): Strategy {
  const known = Object.keys(strategies);
  const make = Object.hasOwn(strategies, name) ? strategies[name] : undefined;
  if (make === undefined)
    throw new UserError(`[gaussians/strategies] unknown strategy: "${name}".${didYouMean(name, known)} Known: ${known.join(', ')}.`);
  return make(options);
}
