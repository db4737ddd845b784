import { defaultClientConditions, defineConfig } from 'vite';

// Pages that are isolated from other origins may share memory between threads.
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  // Relative, so that the built page works below any address.
  base: './',
  // The packages are taken from their sources: nothing has to be built first.
  resolve: { conditions: ['@langevin/source', ...defaultClientConditions] },
  worker: { format: 'es' },
  server: { headers },
  preview: { headers },
  // Found at once, so that the development server does not reload the page when it meets them.
  optimizeDeps: { include: ['three', 'three/addons/controls/OrbitControls.js', '@sparkjsdev/spark', 'uplot'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 3500, sourcemap: false },
});
