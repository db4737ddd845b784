// Compiles assembly/*.ts to WebAssembly and writes it, as base64 in a module, to src/cpu/kernels.generated.ts. Nothing happens when that file
// was made from the same sources by the same compiler. `npm test`, vitest and the package's build all run this.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const OUTPUT = join(root, 'src', 'cpu', 'kernels.generated.ts');
const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--enable', 'threads', '--enable', 'bulk-memory', '--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--memoryBase', '1024'];

/** Builds the kernels when they are not there or not of these sources. @returns whether anything was built */
export async function buildKernels() {
  const files = readdirSync(join(root, 'assembly')).filter((name) => name.endsWith('.ts')).sort();
  const sources = Object.fromEntries(files.map((name) => [name, readFileSync(join(root, 'assembly', name), 'utf8')]));
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.assemblyscript;
  const print = createHash('sha256').update(JSON.stringify([sources, version, FLAGS])).digest('hex').slice(0, 16);
  const header = `// Made by scripts/build-kernels.mjs from assembly/*.ts (${print}). Not to be edited or committed.\n`;
  if (existsSync(OUTPUT) && readFileSync(OUTPUT, 'utf8').startsWith(header)) return false;

  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(['index.ts', '--outFile', 'kernels.wasm', ...FLAGS], {
    readFile: (name) => sources[name.replace(/^\.\//u, '')] ?? null,
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents;
    },
    listFiles: () => [],
  });
  if (error || binary === undefined) throw new Error(`[gaussians/kernels] the compiler refused the kernels: files=${files.join(', ')}. It says:\n${stderr.toString()}`);
  // In one step, so that two builds at once leave a whole file.
  const temporary = `${OUTPUT}.${process.pid}.tmp`;
  writeFileSync(temporary, `${header}\n/** The kernels as a WebAssembly module, base64. */\nexport const KERNELS = '${Buffer.from(binary).toString('base64')}';\n`);
  renameSync(temporary, OUTPUT);
  return true;
}

/** For vitest, which takes what it returns for a way to undo it. */
export async function setup() {
  await buildKernels();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href && (await buildKernels())) console.log(`[gaussians/kernels] built ${OUTPUT.slice(root.length + 1)}`);
