import type { Contestant } from '../measure.ts';

/** What a JavaScript peer offers: cases by name, undefined where it has no such op. */
export interface JsPeer {
  readonly name: string;
  contestant(name: string): Promise<Contestant | undefined>;
}

const SHAPES = {
  matmul: [
    [1024, 1024],
    [1024, 1024],
  ],
  'conv-forward': [
    [64, 64, 28, 28],
    [64, 64, 3, 3],
  ],
} as const;

function noise(size: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: size }, () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * 2 - 1);
}

/** A peer that cannot take part is missing from the table, and this line says why. */
function leftOut(name: string, reason: unknown): undefined {
  console.error(`${name} is left out: ${reason instanceof Error ? reason.message : String(reason)}`);
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** TensorFlow.js on WebAssembly, with as many threads as it takes in Node. */
export async function tfjsWasm(): Promise<JsPeer | undefined> {
  try {
    const tf = await import('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend('wasm'))) return leftOut('tfjs-wasm', 'its backend does not start here');
    const timed = (fn: () => { dataSync(): unknown; dispose(): void }): Contestant => ({
      name: 'tfjs-wasm',
      run: async () => {
        const start = performance.now();
        const y = fn();
        y.dataSync();
        y.dispose();
        return performance.now() - start;
      },
    });
    return {
      name: 'tfjs-wasm',
      contestant: async (name) => {
        if (name === 'matmul') {
          const [a, b] = SHAPES.matmul.map((shape) => tf.tensor2d(noise(sizeOf(shape)), [shape[0], shape[1]]));
          return timed(() => tf.matMul(a!, b!));
        }
        if (name === 'conv-forward') {
          const x = tf.tensor4d(noise(64 * 64 * 28 * 28), [64, 28, 28, 64]);
          const w = tf.tensor4d(noise(64 * 64 * 9), [3, 3, 64, 64]);
          return timed(() => tf.conv2d(x, w, 1, 'same'));
        }
        return undefined;
      },
    };
  } catch (error) {
    return leftOut('tfjs-wasm', error);
  }
}

/** jax-js on WebAssembly. */
export async function jaxJs(): Promise<JsPeer | undefined> {
  try {
    const jax = await import('@jax-js/jax');
    await jax.init('wasm');
    jax.defaultDevice('wasm');
    const np = jax.numpy;
    const timed = (fn: () => { data(): Promise<unknown> }): Contestant => ({
      name: 'jax-js',
      run: async () => {
        const start = performance.now();
        await fn().data();
        return performance.now() - start;
      },
    });
    return {
      name: 'jax-js',
      contestant: async (name) => {
        if (name === 'matmul') {
          const [a, b] = SHAPES.matmul.map((shape) => np.array(noise(sizeOf(shape)), { shape: [...shape] }));
          return timed(() => np.matmul(a!.ref, b!.ref));
        }
        if (name === 'conv-forward') {
          const [x, w] = SHAPES['conv-forward'].map((shape) => np.array(noise(sizeOf(shape)), { shape: [...shape] }));
          return timed(() => jax.lax.conv(x!.ref, w!.ref, [1, 1], 'SAME'));
        }
        return undefined;
      },
    };
  } catch (error) {
    return leftOut('jax-js', error);
  }
}
