import { UnsupportedError } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import { isInitialised } from './backend-scope.ts';

/** The backends this engine knows, by falling speed: the order in which it tries them. */
export const backendNames = ['tensorflow-gpu', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;

export type BackendName = (typeof backendNames)[number];

/** Where the wasm backend finds its binaries: a folder's URL ending in '/', or one URL per file name. */
export type WasmPaths = string | Readonly<Record<string, string>>;

export interface BackendOptions {
  /** For bundled browser apps; in Node the installed package knows its own files. */
  readonly wasmPaths?: WasmPaths;
}

interface BackendSource {
  /** The npm package that registers it. */
  readonly package: string;
  /** The name it has inside TensorFlow.js. */
  readonly registered: 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';
  readonly load: (options: BackendOptions) => Promise<unknown>;
  /** What may be the matter when it is there and does not start. */
  readonly advice?: string;
  /** It has a binding of Node's, and nobody in a page is helped by installing it. */
  readonly where?: 'Node';
}

/** Handled where the import stands: bundlers then take a package that is not installed for one that may be missing. */
function passOn(error: unknown): never {
  throw error;
}

/** Not a literal, so that bundlers for the browser leave the native bindings alone. */
function importNative(specifier: string): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ specifier);
}

interface Gpu {
  readonly requestAdapter: () => Promise<unknown>;
}

/** They can be given once, before the backend starts or fails to. */
let pathsGiven: string | undefined;

/** Not a fault of anybody's. */
class NoGpu extends Error {}

/** Asked before TensorFlow.js does, which prints a stack trace when there is none. */
async function requireWebGpu(): Promise<void> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: Gpu } };
  if (navigator?.gpu === undefined) throw new NoGpu('this runtime has no navigator.gpu');
  if (!(await navigator.gpu.requestAdapter())) throw new NoGpu('navigator.gpu offers no adapter');
}

const SOURCES: Readonly<Record<BackendName, BackendSource>> = {
  'tensorflow-gpu': {
    package: '@tensorflow/tfjs-node-gpu',
    registered: 'tensorflow',
    load: () => importNative('@tensorflow/tfjs-node-gpu'),
    where: 'Node',
  },
  tensorflow: {
    package: '@tensorflow/tfjs-node',
    registered: 'tensorflow',
    load: () => importNative('@tensorflow/tfjs-node'),
    where: 'Node',
  },
  webgpu: {
    package: '@tensorflow/tfjs-backend-webgpu',
    registered: 'webgpu',
    load: async () => {
      await requireWebGpu();
      await import('@tensorflow/tfjs-backend-webgpu').catch(passOn);
    },
  },
  wasm: {
    package: '@tensorflow/tfjs-backend-wasm',
    registered: 'wasm',
    advice: "a page has to serve the three .wasm files of the package's folder dist, and to say where with wasmPaths",
    load: async ({ wasmPaths }) => {
      const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm').catch(passOn);
      const wanted = JSON.stringify(wasmPaths);
      if (wasmPaths === undefined || wanted === pathsGiven) return;
      setWasmPaths(typeof wasmPaths === 'string' ? wasmPaths : { ...wasmPaths });
      pathsGiven = wanted;
    },
  },
  cpu: {
    package: '@tensorflow/tfjs-backend-cpu',
    registered: 'cpu',
    load: () => import('@tensorflow/tfjs-backend-cpu').catch(passOn),
  },
};

export type BackendStatus =
  | { readonly name: BackendName; readonly package: string; readonly available: true }
  | { readonly name: BackendName; readonly package: string; readonly available: false; readonly reason: string };

/**
 * Load a backend and make it ready.
 *
 * @returns its name inside TensorFlow.js
 * @throws UnsupportedError saying what to install, or why the installed package does not work here
 */
export async function loadBackend(name: BackendName, options: BackendOptions = {}): Promise<string> {
  const source = SOURCES[name];
  // Loading a package, and initialising a backend, switches TensorFlow.js' active backend.
  const before = tf.engine().backendName;
  try {
    if (!isRegistered(name, options)) await source.load(options);
    if (!(await tf.setBackend(source.registered)))
      throw new Error(`it did not initialise${source.advice === undefined ? '' : `: ${source.advice}`}`);
    quietly(() => tf.scalar(0).dispose());
    return source.registered;
  } catch (cause) {
    throw new UnsupportedError(`[engine-tfjs/backend] backend is not available: backend="${name}", ${reasonOf(source, cause)}.`, { cause });
  } finally {
    // One that failed to start is active by name all the same; to go back to it would start it, and fail, again.
    if (before && tf.engine().backendName !== before && isInitialised(before)) await tf.setBackend(before);
  }
}

/** A backend that the application has registered itself needs no import; which of the native packages it is, is not known. */
function isRegistered(name: BackendName, { wasmPaths }: BackendOptions): boolean {
  const { registered } = SOURCES[name];
  if (name === 'tensorflow-gpu') return false;
  return isInitialised(registered) || (wasmPaths === undefined && tf.findBackendFactory(registered) !== null);
}

/** The first use of the cpu backend in Node prints an advertisement, unless TensorFlow.js is in production mode. */
function quietly(work: () => void): void {
  const production = tf.env().getBool('PROD');
  tf.env().set('PROD', true);
  try {
    work();
  } finally {
    tf.env().set('PROD', production);
  }
}

function reasonOf(source: BackendSource, cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (!isMissing(source, cause)) return `${source.package}: ${firstLine(message)}`;
  if (source.where === 'Node' && !inNode()) return `${source.package} is for Node`;
  return `${source.package} is not installed; run: npm install ${source.package}`;
}

function isMissing(source: BackendSource, cause: unknown): boolean {
  const message = cause instanceof Error ? cause.message : String(cause);
  // Node, bundlers and browsers word it each in their own way.
  return /cannot find|could not resolve|failed to resolve/i.test(message) && message.includes(source.package);
}

const inNode = (): boolean => (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

/**
 * Which backends would work here, and why the others would not, in the order of preference. Loads every one that is installed.
 *
 * @example
 * (await availableBackends()).find((backend) => backend.available)?.name; // => 'wasm'
 */
export async function availableBackends(options: BackendOptions = {}): Promise<readonly BackendStatus[]> {
  const found: BackendStatus[] = [];
  for (const name of backendNames) {
    const where = { name, package: SOURCES[name].package };
    try {
      await loadBackend(name, options);
      found.push({ ...where, available: true });
    } catch (error) {
      const cause = error instanceof Error ? error.cause : error;
      found.push({ ...where, available: false, reason: reasonOf(SOURCES[name], cause) });
    }
  }
  return found;
}

/**
 * The first available backend in the order of preference. That an installed one does not start is told on the console: what comes after it
 * is slower, and nobody asked for that.
 */
export async function firstBackend(options: BackendOptions): Promise<{ name: BackendName; registered: string }> {
  const reasons: string[] = [];
  const broken: string[] = [];
  for (const name of backendNames) {
    try {
      const registered = await loadBackend(name, options);
      if (broken.length > 0)
        console.warn(`[engine-tfjs/backend] the backend is "${name}", since others did not start: ${broken.join(' | ')}.`);
      return { name, registered };
    } catch (error) {
      const cause = error instanceof Error ? error.cause : error;
      reasons.push(`${name}: ${reasonOf(SOURCES[name], cause)}`);
      if (!isMissing(SOURCES[name], cause) && !(cause instanceof NoGpu)) broken.push(reasons.at(-1)!);
    }
  }
  throw new UnsupportedError(
    `[engine-tfjs/backend] no TensorFlow.js backend is available (${reasons.join(' | ')}). Install one of these packages.`,
  );
}
