import { defineConfig } from 'vitest/config';

// Tests run from source through the private export condition: no build is needed first.
const conditions = ['@langevin/source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  resolve: { conditions },
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts', 'apps/*/{src,test}/**/*.test.ts', 'tooling/*/{src,test}/**/*.test.ts', 'examples/test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
  },
});
