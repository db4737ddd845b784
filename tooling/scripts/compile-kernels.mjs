// Compiles a module of a package's assembly/*.ts to WebAssembly and writes it, as base64 in a module, among its sources. For the
// build-kernels.mjs of packages.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Nothing happens when the module was made from the same sources by the same compiler. The bytes are filled up to a multiple of three with
 * a custom section, so that no decoder has to know of padding.
 *
 * @param {object} kernels
 * @param {string} kernels.root the package's folder
 * @param {string} kernels.output the module to write, from there
 * @param {string} [kernels.entry] the file of assembly/ whose exports are the module's
 * @param {readonly string[]} kernels.flags of the compiler
 * @param {() => Promise<object>} kernels.compiler imports `assemblyscript/asc` from where it is installed
 * @returns {Promise<boolean>} whether anything was built
 */
export async function compileKernels({ root, output, entry = 'index.ts', flags, compiler }) {
  const target = join(root, output);
  const files = readdirSync(join(root, 'assembly'))
    .filter((name) => name.endsWith('.ts'))
    .sort();
  const sources = Object.fromEntries(files.map((name) => [name, readFileSync(join(root, 'assembly', name), 'utf8')]));
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', 'assemblyscript', 'package.json'), 'utf8'));
  const print = createHash('sha256')
    .update(JSON.stringify([sources, entry, version, flags, 2]))
    .digest('hex')
    .slice(0, 16);
  const header = `// Made by scripts/build-kernels.mjs from assembly/*.ts (${print}). Not to be edited or committed.\n`;
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(header)) return false;

  const { default: asc } = await compiler();
  let binary;
  const { error, stderr } = await asc.main([entry, '--outFile', 'kernels.wasm', ...flags], {
    readFile: (name) => sources[name.replace(/^\.\//u, '')] ?? null,
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents;
    },
    listFiles: () => [],
  });
  if (error || binary === undefined)
    throw new Error(
      `[workspace/kernels] the compiler refused the kernels: root=${root}, files=${files.join(', ')}. It says:\n${stderr.toString()}`,
    );
  // In one step, so that two builds at once leave a whole file.
  const temporary = `${target}.${process.pid}.tmp`;
  writeFileSync(
    temporary,
    `${header}\n/** The kernels as a WebAssembly module, base64. */\nexport const KERNELS = `
      + `'${Buffer.from(filled(binary)).toString('base64')}';\n`,
  );
  renameSync(temporary, target);
  return true;
}

function filled(binary) {
  const missing = (3 - (binary.length % 3)) % 3;
  if (missing === 0) return binary;
  // A custom section: its number 0, its size, the length of its name, which is empty, and of three bytes at least.
  const size = missing === 1 ? 2 : 3;
  return Uint8Array.of(...binary, 0, size, 0, ...new Uint8Array(size - 1));
}
