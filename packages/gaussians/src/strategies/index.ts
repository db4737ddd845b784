// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { Strategy } from './strategy.ts';
import { absgradStrategy } from './absgrad.ts';
import { defaultStrategy } from './default.ts';
import { mcmcStrategy } from './mcmc.ts';

export * from './absgrad.ts';
export * from './default.ts';
export * from './mcmc.ts';

/** Strategies by name, for command lines and plugins: one for each file of this folder that makes one. */
export const strategies: Registry<Strategy> = /* @__PURE__ */ createRegistry(
  'strategy',
  { absgrad: absgradStrategy, default: defaultStrategy, mcmc: mcmcStrategy },
  {
    absgrad: ['start', 'stop', 'every', 'resetEvery', 'growGradient', 'growScale', 'pruneOpacity', 'pruneScale', 'cap', 'splitOpacity'],
    default: ['start', 'stop', 'every', 'resetEvery', 'growGradient', 'growScale', 'pruneOpacity', 'pruneScale', 'cap', 'splitOpacity'],
    mcmc: ['start', 'stop', 'every', 'cap', 'growth', 'minOpacity', 'noise'],
  },
);
