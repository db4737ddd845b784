/** Where ONNX Runtime computes. `cpu`, `cuda`, `dml` and `coreml` are in Node only, `wasm` in both. */
export type Device = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml' | 'wasm';

/** Where onnxruntime-web finds its WebAssembly: a folder's URL ending in '/', or the URLs of its files. */
export type WasmPaths = string | { readonly wasm?: string; readonly mjs?: string };

export interface EngineOptions {
  /** @default 'cpu' in Node; in the browser 'webgpu' where there is an adapter, else 'wasm' */
  readonly device?: Device;
  /** Threads that share one op. @default the number of cores */
  readonly threads?: number;
  /** For pages whose bundler does not copy it; Node finds it by itself. @default beside the bundle */
  readonly wasmPaths?: WasmPaths;
  /**
   * `thread` runs everything in a worker thread (Node only): ONNX Runtime computes synchronously, and a long run would stop the
   * caller's event loop. @default 'inline', which is faster for small graphs
   */
  readonly worker?: 'inline' | 'thread';
  /**
   * What compiling does with constants that are slices of a file. `pack` lays them out for speed, in memory of the session;
   * `map` leaves them in the file's pages, which is quick and takes no memory. @default 'pack', since weights that are frozen
   * will be used many times
   */
  readonly weights?: 'pack' | 'map';
  /** Raw ONNX Runtime session options, laid over ours; `extra: { session: {...} }` takes the keys that have no option. */
  readonly session?: Readonly<Record<string, unknown>>;
}
