import { cpuRasterizer, createRasterizer, type Rasterizer } from '@langevin/gaussians';

/** Who draws in single precision here. */
export interface Contestants {
  readonly fast: readonly Rasterizer[];
  /** Why WebGPU takes no part, or undefined. */
  readonly absent: string | undefined;
}

/** The CPU kernels on one thread, and WebGPU where there is an adapter. */
export async function contestants(): Promise<Contestants> {
  const cpu = cpuRasterizer({ threads: 1 });
  const { rasterizer, reasons } = await createRasterizer({ prefer: 'webgpu', threads: 1 });
  if (rasterizer.kind === 'webgpu') return { fast: [cpu, rasterizer], absent: undefined };
  await rasterizer.dispose();
  return { fast: [cpu], absent: reasons.join(' ') };
}
