import { decodeBase64 } from '../random/base64.ts';

/** What is used of WebAssembly; the libraries of TypeScript only have it together with the whole DOM. */
interface WebAssemblyHost {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** Where something lies in a module's memory. */
export interface Place {
  readonly value: number;
}

/** What every module has. */
export interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer };
}

/** A new instance of a module of scripts/build-kernels.mjs where there is WebAssembly with vectors; undefined elsewhere. */
export function instantiate<Exports extends Kernels>(base64: string): Exports | undefined {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyHost };
  if (WebAssembly === undefined) return undefined;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(decodeBase64(base64, (base64.length / 4) * 3)!)).exports as Exports;
  } catch {
    // Hosts without vectors, and pages whose policy forbids to compile.
    return undefined;
  }
}
