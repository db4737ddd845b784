import { errorKind, UnsupportedError, UserError } from '@langevin/tensor';
import { cpuRasterizer } from './cpu/cpu-rasterizer.ts';
import type { Rasterizer } from './rasterizer.ts';
import { webgpuRasterizer } from './webgpu/webgpu-rasterizer.ts';

/** Who can draw in single precision, the fastest first. */
type Backend = 'webgpu' | 'cpu';

export interface CreateRasterizerOptions {
  /** What is tried first; the others follow. @default 'webgpu', on a real GPU only */
  readonly prefer?: Backend;
  /** Threads of the CPU. @default see cpuRasterizer */
  readonly threads?: number;
}

/** A rasterizer, and why it is this one. */
export interface RasterizerChoice {
  readonly rasterizer: Rasterizer;
  /** What was tried before and could not serve, a sentence each. */
  readonly reasons: readonly string[];
}

type Maker = (options: CreateRasterizerOptions) => Promise<Rasterizer>;

const MAKERS: readonly { readonly backend: Backend; readonly make: Maker }[] = [
  {
    backend: 'webgpu',
    // An adapter that computes on the CPU is slower than kernels made for it, and serves only those who name it.
    make: ({ prefer }) => webgpuRasterizer({ software: prefer === 'webgpu' ? 'accept' : 'refuse' }),
  },
  { backend: 'cpu', make: async ({ threads }) => cpuRasterizer(threads === undefined ? {} : { threads }) },
];

/**
 * The fastest rasterizer that works here.
 *
 * @throws UserError for a backend that does not exist; UnsupportedError when none works
 * @example
 * const { rasterizer, reasons } = await createRasterizer({ prefer: 'cpu', threads: 1 });
 * rasterizer.kind; // => 'cpu'
 */
export async function createRasterizer(options: CreateRasterizerOptions = {}): Promise<RasterizerChoice> {
  const { prefer = 'webgpu' } = options;
  const first = MAKERS.find(({ backend }) => backend === prefer);
  if (first === undefined)
    throw new UserError(
      `[gaussians/create] unknown backend: prefer=${String(prefer)}. Known: ${MAKERS.map(({ backend }) => backend).join(', ')}.`,
    );
  const reasons: string[] = [];
  for (const { make } of [first, ...MAKERS.filter((maker) => maker !== first)]) {
    try {
      return { rasterizer: await make(options), reasons };
    } catch (cause) {
      // What the caller got wrong stays wrong with the next.
      if (errorKind(cause) !== 'unsupported') throw cause;
      reasons.push((cause as Error).message);
    }
  }
  throw new UnsupportedError(`[gaussians/create] nothing can draw here: tried=${MAKERS.length}. ${reasons.join(' ')}`);
}
