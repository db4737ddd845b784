import { UnsupportedError } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Run `work` with a TensorFlow.js backend active, then restore the one before. The active backend is a global of TensorFlow.js; `work`
 * is synchronous, so no other code sees the change.
 */
export function onBackend<T>(backend: string, work: () => T): T {
  const before = tf.engine().backendName;
  if (before === backend) return work();
  activate(backend);
  try {
    return work();
  } finally {
    if (before && isInitialised(before)) activate(before);
  }
}

/** TensorFlow.js calls a backend active as soon as it was asked for, whether it starts or not. */
export const isInitialised = (backend: string): boolean => Object.hasOwn(tf.engine().registry, backend);

/** For a backend that is already initialised, setBackend has done its work when it returns. */
function activate(backend: string): void {
  void tf.setBackend(backend);
  if (tf.engine().backendName !== backend) {
    throw new UnsupportedError(`[engine-tfjs/backend] TensorFlow.js lost its backend: backend="${backend}". Create the engine again.`);
  }
}
