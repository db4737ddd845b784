import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Tests run from source through the private export condition: no build is needed first.
const conditions = ['@langevin/source', 'node', 'import', 'module', 'default'];

/** Loading modules takes as long as the tests themselves when every file has a process of its own, so most files share two. */
const SHARED = /^packages\/(?!engine-)/u;
/** What a file replaces, others must not see. */
const REPLACES_MODULES = /\bvi\.(?:doMock|hoisted|mock|resetModules)\b/u;

const root = import.meta.dirname;
const files = ['packages', 'apps', 'tooling', 'examples'].flatMap(testsBelow);
const shared = files.filter((file) => SHARED.test(file) && !REPLACES_MODULES.test(readFileSync(join(root, file), 'utf8')));
const alone = files.filter((file) => !shared.includes(file));

/** Relative paths of test files; installed and built folders, and what is not of a package's `src` or `test`, are not entered. */
function testsBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isFile()) return entry.name.endsWith('.test.ts') ? [path] : [];
    return entry.isDirectory() && !['node_modules', 'dist', 'golden'].includes(entry.name) ? testsBelow(path) : [];
  });
}

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  resolve: { conditions },
  test: {
    // Kernels in WebAssembly are compiled when their sources have changed.
    globalSetup: ['packages/gaussians/scripts/build-kernels.mjs', 'packages/tensor/scripts/build-kernels.mjs'],
    // Room for a busy machine; a test that needs more says so itself.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'shared', include: shared, isolate: false } },
      { extends: true, test: { name: 'alone', include: alone, isolate: true } },
    ],
  },
});
