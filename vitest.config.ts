import { defineConfig } from 'vitest/config';

// Tests run from source through the private export condition: no build is needed first.
const conditions = ['@langevin/source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  resolve: { conditions },
  test: {
    // Kernels in WebAssembly are compiled when their sources have changed.
    globalSetup: ['packages/gaussians/scripts/build-kernels.mjs', 'packages/tensor/scripts/build-kernels.mjs'],
    include: [
      'packages/*/{src,test}/**/*.test.ts',
      'apps/*/{src,test}/**/*.test.ts',
      'tooling/*/{src,test}/**/*.test.ts',
      'examples/test/**/*.test.ts',
    ],
    // Room for a busy machine; a test that needs more says so itself.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
