import { availableBackends } from '@langevin/engine-tfjs';
import type { BackendName } from '@langevin/engine-tfjs';

// A binding built by hand (docs/tfjs-node-binding.md) lies outside of node_modules: its entry file, as a path.
const binding = process.env['LANGEVIN_TFJS_NODE'];
if (binding !== undefined) await import(/* @vite-ignore */ binding);

// WebGPU in Node: the entry file of npm's `webgpu` (Dawn), and a Vulkan driver that it can find.
const dawn = process.env['LANGEVIN_NODE_WEBGPU'];
if (dawn !== undefined) {
  const { create, globals } = (await import(/* @vite-ignore */ dawn)) as { create: (flags: readonly string[]) => object; globals: object };
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: create(['backend=vulkan']), userAgent: 'node' }, configurable: true });
}

const status = await availableBackends();
const missing = status.flatMap((backend) => (backend.available ? [] : [`${backend.name} is not tested: ${backend.reason}`]));
// Not through the console, which a test run may take for a fault.
if (missing.length > 0) process.stdout.write(`${missing.join('\n')}\n`);

/** Every backend that works here: cpu and wasm always, the others where they are installed. */
export const backends: readonly BackendName[] = status.filter(({ available }) => available).map(({ name }) => name);

/** For what takes a second on an idle machine and much longer on a busy one, or where shaders are compiled for each shape. */
export const PATIENT = { timeout: 60_000 };
