import { UnsupportedError } from '@langevin/tensor';

/** What is used of WebAssembly; the libraries of TypeScript only have it together with the whole DOM. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

interface WebAssemblyHost {
  readonly Memory: new (options: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ readonly exports: unknown }>;
}

/** A worker of Node or of a page. */
export interface WorkerHandle {
  /** Sends what the worker starts with. */
  readonly start: (message: object) => void;
  readonly terminate: () => void;
  /** A worker that nobody waits for must not keep the process alive. */
  readonly hold: (held: boolean) => void;
}

interface NodeWorker {
  on(event: 'message' | 'error', listener: (value: unknown) => void): void;
  postMessage(message: object): void;
  terminate(): unknown;
  ref(): void;
  unref(): void;
}

interface PageWorker {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(message: object): void;
  terminate(): void;
}

interface Host {
  readonly WebAssembly?: WebAssemblyHost;
  readonly SharedArrayBuffer?: unknown;
  readonly Worker?: new (url: string) => PageWorker;
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly process?: {
    getBuiltinModule?(name: 'node:worker_threads'): { readonly Worker: new (code: string, options: { eval: boolean }) => NodeWorker };
  };
}

const host = globalThis as unknown as Host;

/** @throws UnsupportedError where there is no WebAssembly */
export function webAssembly(): WebAssemblyHost {
  if (host.WebAssembly === undefined)
    throw new UnsupportedError(
      '[gaussians/cpu] no WebAssembly here: WebAssembly=undefined. Use a current Node or browser, or referenceRasterizer().',
    );
  return host.WebAssembly;
}

/** Memory that threads can share, as large as the machine lets it become, up to 4 GiB. */
export function sharedMemory(): WasmMemory {
  const { Memory } = webAssembly();
  for (let maximum = 65_536; ; maximum /= 2) {
    try {
      return new Memory({ initial: 1, maximum, shared: true });
    } catch (cause) {
      // Small devices do not set aside that many addresses.
      if (maximum <= 1024)
        throw new UnsupportedError(
          `[gaussians/cpu] no shared memory to be had here: pages=${maximum}. Use a current Node or browser, or referenceRasterizer().`,
          { cause },
        );
    }
  }
}

/** Logical processors, 1 where it is not known. */
export function processors(): number {
  return host.navigator?.hardwareConcurrency ?? 1;
}

/** Whether memory can be handed to workers: always in Node, in a page only where it is cross-origin isolated. */
export function canShare(): boolean {
  return host.SharedArrayBuffer !== undefined && (nodeWorkers() !== undefined || host.Worker !== undefined);
}

function nodeWorkers() {
  return host.process?.getBuiltinModule?.('node:worker_threads');
}

/** Starts a worker from source text, so that it works alike from source, from a package, and out of a bundle. */
export function startWorker(
  code: string,
  on: { readonly message: (value: unknown) => void; readonly error: (cause: unknown) => void },
): WorkerHandle {
  const threads = nodeWorkers();
  if (threads !== undefined) {
    const worker = new threads.Worker(code, { eval: true });
    worker.on('message', on.message);
    worker.on('error', on.error);
    worker.unref();
    return {
      start: (message) => worker.postMessage(message),
      terminate: () => void worker.terminate(),
      hold: (held) => (held ? worker.ref() : worker.unref()),
    };
  }
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new host.Worker!(url);
  worker.onmessage = ({ data }) => on.message(data);
  worker.onerror = on.error;
  return {
    start: (message) => worker.postMessage(message),
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
    hold: () => {},
  };
}
