import { decodeBase64 } from '../random/base64.ts';
import { KERNELS } from '../random/kernels.generated.ts';

/** What is used of WebAssembly; the libraries of TypeScript only have it together with the whole DOM. */
interface WebAssemblyHost {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

interface Place {
  readonly value: number;
}

/** See assembly/index.ts. */
export interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly NORMALS: Place;
  readonly normals: (count: number, low: number, high: number, upper0: number, upper1: number, key0: number, key1: number) => void;
  readonly PIVOTS: Place;
  readonly torchBlocks: (blocks: number) => void;
  readonly SUM: Place;
  readonly VALUE: Place;
  readonly scale: (count: number, factor: number) => void;
  readonly blend: (count: number, keep: number, factor: number) => void;
}

/** A new instance of our kernels where there is WebAssembly with vectors; undefined elsewhere. */
export function wasmKernels(): Kernels | undefined {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyHost };
  if (WebAssembly === undefined) return undefined;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(decodeBase64(KERNELS, (KERNELS.length / 4) * 3)!)).exports as Kernels;
  } catch {
    // Hosts without vectors, and pages whose policy forbids to compile.
    return undefined;
  }
}
