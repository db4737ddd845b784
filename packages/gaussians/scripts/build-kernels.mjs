// Compiles assembly/*.ts to src/cpu/kernels.generated.ts. `npm test`, vitest and the package's build all run this.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileKernels } from '../../../tooling/scripts/compile-kernels.mjs';

const OUTPUT = 'src/cpu/kernels.generated.ts';
const FLAGS = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--enable',
  'threads',
  '--enable',
  'bulk-memory',
  '--importMemory',
  '--sharedMemory',
  '--initialMemory',
  '1',
  '--maximumMemory',
  '65536',
  '--memoryBase',
  '1024',
];

const build = () =>
  compileKernels({
    root: join(dirname(fileURLToPath(import.meta.url)), '..'),
    output: OUTPUT,
    flags: FLAGS,
    compiler: () => import('assemblyscript/asc'),
  });

/** For vitest, which takes what it returns for a way to undo it. */
export async function setup() {
  await build();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href && (await build()))
  console.log(`[gaussians/kernels] built ${OUTPUT}`);
