// Compiles assembly/*.ts to modules among the sources. `npm test`, vitest and the package's build all run this.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileKernels } from '../../../tooling/scripts/compile-kernels.mjs';

/** A module each for what a program may need alone: a page that samples with noise of its own carries the first and not the second. */
const MODULES = [
  { entry: 'index.ts', output: 'src/random/kernels.generated.ts' },
  { entry: 'arrays.ts', output: 'src/host/kernels.generated.ts' },
];
const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', '2', '--maximumMemory', '2'];

const build = async () => {
  const built = [];
  for (const module of MODULES) {
    if (
      await compileKernels({
        ...module,
        root: join(dirname(fileURLToPath(import.meta.url)), '..'),
        flags: FLAGS,
        compiler: () => import('assemblyscript/asc'),
      })
    )
      built.push(module.output);
  }
  return built;
};

/** For vitest, which takes what it returns for a way to undo it. */
export async function setup() {
  await build();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  for (const output of await build()) console.log(`[tensor/kernels] built ${output}`);
