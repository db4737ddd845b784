import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program that somebody may ship, and what it may weigh at most. */
export interface SizeCase {
  readonly name: string;
  readonly code: string;
  /** Bytes after minification and gzip: what it weighed when this was written, and a tenth. */
  readonly ceiling: number;
}

export const SIZE_CASES: readonly SizeCase[] = [
  {
    name: 'one sampler over plain arrays',
    code:
      "export { euler, imageNoise, sample, startState } from '@langevin/samplers'; export { edm, karras } from "
      + "'@langevin/core-schedules';",
    ceiling: 14_900,
  },
  { name: 'all samplers', code: "export * from '@langevin/samplers';", ceiling: 49_500 },
  {
    name: "all samplers, diffusers' schedulers and all names",
    code: "export * from '@langevin/samplers'; export * from '@langevin/samplers/compat';",
    ceiling: 92_600,
  },
  { name: 'all of core-schedules, with its losses over tensors', code: "export * from '@langevin/core-schedules';", ceiling: 57_000 },
];

export interface Size {
  readonly minified: number;
  readonly gzip: number;
}

/** Bundles a program from source, with nothing left out, and weighs it. */
export async function bundleSize(code: string): Promise<Size> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: dirname(fileURLToPath(import.meta.url)), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@langevin/source'],
    write: false,
    logLevel: 'silent',
  });
  const [bundle] = outputFiles;
  return { minified: bundle!.contents.length, gzip: gzipSync(bundle!.contents, { level: 9 }).length };
}
