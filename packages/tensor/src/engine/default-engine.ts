import { UserError } from '../errors.ts';
import { requireEngine, type Engine } from './engine.ts';

let chosen: Promise<Engine> | undefined;

/** Engines that are tried when none was chosen, in this order; each is an optional install. */
const CANDIDATES = [
  { package: '@langevin/engine-onnxruntime', factory: 'onnxruntimeEngine' },
  { package: '@langevin/engine-tfjs', factory: 'tfjsEngine' },
] as const;

/** Choose the engine that realises tensors when a call names none. It is a matter of the application, never of a library. */
export function setDefaultEngine(engine: Engine | undefined): void {
  if (engine !== undefined) requireEngine('tensor/engine', engine);
  chosen = engine && Promise.resolve(engine);
}

/**
 * The engine set by {@link setDefaultEngine}, or, in Node, the first that is installed: ONNX Runtime, then TensorFlow.js. In a page or a
 * bundle there is none to be found by name: import one and set it.
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
      const module = await importFromApplication(name);
      return await module[factory]!();
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  }
  throw new UserError(`[tensor/engine] no engine was found: ${failures.join('; ')}. ${isNode() ? ADVICE_IN_NODE : ADVICE_IN_PAGES}`);
}

const ADVICE_IN_NODE =
  'Run `npm install @langevin/engine-onnxruntime onnxruntime-node`; a bundled program imports its engine and passes it to '
  + 'setDefaultEngine().';

/** Bundlers see imports of fixed names only, and a page resolves none: the search is for Node. */
const ADVICE_IN_PAGES =
  "A page or a bundle has to import its engine: import { onnxruntimeEngine } from '@langevin/engine-onnxruntime'; "
  + 'setDefaultEngine(await onnxruntimeEngine());';

const isNode = (): boolean => (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;

type EngineModule = Record<string, () => Promise<Engine>>;

/** Import a package that this one does not depend on: the application does, and strict package managers show it to no one else. */
async function importFromApplication(name: string): Promise<EngineModule> {
  try {
    return (await import(/* @vite-ignore */ name)) as EngineModule;
  } catch (error) {
    const path = resolveFromApplication(name);
    if (path === undefined) throw error;
    return (await import(/* @vite-ignore */ path)) as EngineModule;
  }
}

interface NodeProcess {
  readonly argv: readonly string[];
  cwd(): string;
  getBuiltinModule?(name: 'node:module'): { createRequire(from: string): { resolve(name: string): string } };
}

function resolveFromApplication(name: string): string | undefined {
  const { process } = globalThis as { process?: Partial<NodeProcess> };
  const createRequire = process?.getBuiltinModule?.('node:module').createRequire;
  if (!createRequire) return undefined;
  for (const from of [process.argv?.[1], `${process.cwd?.()}/package.json`]) {
    try {
      if (from) return `file://${createRequire(from).resolve(name)}`;
    } catch {
      // Not installed beside this one; the next may have it.
    }
  }
  return undefined;
}
