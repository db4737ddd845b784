import { UserError } from '../errors.ts';
import type { Engine } from './engine.ts';

let chosen: Promise<Engine> | undefined;

/** Engines that are tried when none was chosen, in this order; each is an optional install. */
const CANDIDATES = [
  { package: '@langevin/engine-onnxruntime', factory: 'onnxruntimeEngine' },
  { package: '@langevin/engine-tfjs', factory: 'tfjsEngine' },
] as const;

/** Choose the engine that realises tensors when a call names none. It is a matter of the application, never of a library. */
export function setDefaultEngine(engine: Engine | undefined): void {
  chosen = engine && Promise.resolve(engine);
}

/**
 * The engine set by {@link setDefaultEngine}, or the first that is installed: ONNX Runtime, then TensorFlow.js.
 *
 * @throws UserError when none is installed
 */
export function defaultEngine(): Promise<Engine> {
  chosen ??= findEngine();
  chosen.catch(() => (chosen = undefined));
  return chosen;
}

async function findEngine(): Promise<Engine> {
  const failures: string[] = [];
  for (const { package: name, factory } of CANDIDATES) {
    try {
      const module = (await import(/* @vite-ignore */ name)) as Record<string, () => Promise<Engine>>;
      return await module[factory]!();
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  }
  throw new UserError(
    `[tensor/engine] no engine is installed: ${failures.join('; ')}. Run \`npm install @langevin/engine-onnxruntime onnxruntime-node\`, or pass one with setDefaultEngine().`,
  );
}
