import { mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What is found beside the program instead of put into it: binaries, and what no test of them needs. */
const EXTERNAL = ['sharp', 'uplot', 'onnxruntime-node', 'webgpu'];

/**
 * Makes a program of Node out of a TypeScript file and our sources, for tests that need a process of their own.
 *
 * @param source relative to this folder
 * @returns where it is: inside the package, so that the packages it leaves out are found
 */
export async function buildProgram(source: string): Promise<string> {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const folder = here('../node_modules/.langevin-test');
  const outfile = `${folder}/${basename(source, '.ts')}.mjs`;
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [here(source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@langevin/source'],
    external: EXTERNAL,
    // What CommonJS packages ask for inside of an ES module.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return outfile;
}
