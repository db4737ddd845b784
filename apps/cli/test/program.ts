import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What is found beside the program instead of put into it: binaries, and what takes no harm. */
const EXTERNAL = ['sharp', 'uplot', 'onnxruntime-node', 'onnxruntime-web', '@tensorflow/*', 'h264-mp4-encoder', 'emoji-datasource-google'];

/** The command line as one file made from our sources, for tests that need a process of their own; returns where it is. */
export async function buildCli(): Promise<string> {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  // As deep below a package.json as the real one.
  const folder = here('../node_modules/.langevin-test');
  mkdirSync(`${folder}/dist`, { recursive: true });
  writeFileSync(`${folder}/package.json`, '{"name":"@langevin/cli","version":"0.0.0","type":"module"}');
  const outfile = `${folder}/dist/main.js`;
  await build({
    entryPoints: [here('../src/main.ts')],
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
