import { readFileSync } from 'node:fs';
import type { GoldenFile } from '@langevin/samplers/testing';

/** The golden files of diffusers' schedulers, by part. */
export const goldenParts = ['chain', 'sigma', 'score', 'lambda', 'dpmsolver', 'edm', 'flow', 'few-step'] as const;

export function readGolden(part: (typeof goldenParts)[number]): GoldenFile {
  return JSON.parse(readFileSync(new URL(`../golden/schedulers-${part}.json`, import.meta.url), 'utf8')) as GoldenFile;
}
