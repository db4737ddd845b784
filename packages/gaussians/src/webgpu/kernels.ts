import { InternalError } from '@langevin/tensor';
import type { Buffers } from './buffers.ts';
import type { GpuBuffer, GpuComputePass, GpuDevice, GpuHandle, GpuPipeline } from './gpu.ts';
import { BACKGROUND_WGSL, BACKWARD_WGSL, FEATURES_BACKWARD_WGSL } from './shaders/backward.ts';
import { FORWARD_WGSL } from './shaders/blend.ts';
import { EMIT_WGSL, SCAN_WGSL, STARTS_WGSL, TOTALS_WGSL } from './shaders/bin-tiles.ts';
import { PROJECT_BACKWARD_WGSL, SUM_ROWS_WGSL } from './shaders/project-backward.ts';
import {
  LOSS_BACKWARD_COLUMNS_WGSL,
  LOSS_BACKWARD_ROWS_WGSL,
  LOSS_FORWARD_COLUMNS_WGSL,
  LOSS_FORWARD_ROWS_WGSL,
} from './shaders/photometric.ts';
import { PROJECT_WGSL } from './shaders/project.ts';
import { COLUMNS_WGSL, HISTOGRAM_WGSL, SCATTER_WGSL } from './shaders/sort.ts';
import { ROW_OF_GROUPS } from './view.ts';

const SOURCES = {
  project: PROJECT_WGSL,
  histogram: HISTOGRAM_WGSL,
  columns: COLUMNS_WGSL,
  scatter: SCATTER_WGSL,
  scan: SCAN_WGSL,
  totals: TOTALS_WGSL,
  emit: EMIT_WGSL,
  starts: STARTS_WGSL,
  forward: FORWARD_WGSL,
  background: BACKGROUND_WGSL,
  backward: BACKWARD_WGSL,
  featuresBackward: FEATURES_BACKWARD_WGSL,
  sumRows: SUM_ROWS_WGSL,
  projectBackward: PROJECT_BACKWARD_WGSL,
  lossForwardRows: LOSS_FORWARD_ROWS_WGSL,
  lossForwardColumns: LOSS_FORWARD_COLUMNS_WGSL,
  lossBackwardRows: LOSS_BACKWARD_ROWS_WGSL,
  lossBackwardColumns: LOSS_BACKWARD_COLUMNS_WGSL,
} as const;

export type KernelName = keyof typeof SOURCES;

/** How many groups of work: along three axes, or where the device has written them. */
export type Groups = readonly [number, number?, number?] | { readonly sizes: GpuBuffer; readonly offset: number };

/** A kernel, what it reads and writes in the order of its bindings, and how much of it. */
export interface Step {
  readonly kernel: KernelName;
  readonly bindings: readonly GpuBuffer[];
  readonly groups: Groups;
}

/** What every picture and its backward pass need; the others are compiled when somebody asks for them. */
export const USUAL_KERNELS: readonly KernelName[] = [
  'project',
  'histogram',
  'columns',
  'scatter',
  'scan',
  'totals',
  'emit',
  'starts',
  'forward',
  'background',
  'backward',
  'sumRows',
  'projectBackward',
];

export interface Kernels {
  /** Compiles what is not yet compiled. @throws InternalError when one does not compile */
  readonly load: (names: readonly KernelName[]) => Promise<void>;
  /** Steps of kernels that were loaded. */
  readonly run: (pass: GpuComputePass, steps: readonly Step[]) => void;
}

interface Compiled {
  readonly pipeline: GpuPipeline;
  readonly layout: GpuHandle;
}

export function createKernels(device: GpuDevice, buffers: Buffers): Kernels {
  const compiled = new Map<KernelName, Compiled>();
  const compile = async (name: KernelName): Promise<void> => {
    const label = `gaussians ${name}`;
    try {
      const pipeline = await device.createComputePipelineAsync({
        label,
        layout: 'auto',
        compute: { module: device.createShaderModule({ label, code: SOURCES[name] }), entryPoint: 'main' },
      });
      compiled.set(name, { pipeline, layout: pipeline.getBindGroupLayout(0) });
    } catch (cause) {
      throw new InternalError(
        `[gaussians/webgpu] a kernel does not compile here: kernel=${name}. Please report it with the adapter's name: `
          + `${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  };

  // Groups of bindings are kept until a buffer is replaced; a step that comes again finds its own.
  const ids = new WeakMap<GpuBuffer, number>();
  let nextId = 0;
  const idOf = (buffer: GpuBuffer): number => {
    const id = ids.get(buffer) ?? nextId++;
    ids.set(buffer, id);
    return id;
  };
  let generation = -1;
  const cache = new Map<string, GpuHandle>();
  const groupOf = ({ kernel, bindings }: Step): GpuHandle => {
    if (generation !== buffers.generation()) cache.clear();
    generation = buffers.generation();
    const key = `${kernel} ${bindings.map(idOf).join(' ')}`;
    const group =
      cache.get(key)
      ?? device.createBindGroup({
        layout: compiled.get(kernel)!.layout,
        entries: bindings.map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
    cache.set(key, group);
    return group;
  };

  return {
    load: async (names) => {
      const missing = [...new Set(names)].filter((name) => !compiled.has(name));
      if (missing.length > 0) await Promise.all(missing.map(compile));
    },
    run(pass, steps) {
      for (const step of steps) {
        // Nothing to do is not worth a dispatch, and devices warn of it.
        if (!('sizes' in step.groups) && step.groups.includes(0)) continue;
        pass.setPipeline(compiled.get(step.kernel)!.pipeline);
        pass.setBindGroup(0, groupOf(step) as never);
        if ('sizes' in step.groups) pass.dispatchWorkgroupsIndirect(step.groups.sizes, step.groups.offset);
        else pass.dispatchWorkgroups(...(step.groups as [number, number?, number?]));
      }
    },
  };
}

/** Groups for `items` of which each takes `each`, in rows that no device refuses. */
export function groupsFor(items: number, each: number): Groups {
  const groups = Math.ceil(items / each);
  return [Math.min(groups, ROW_OF_GROUPS), Math.ceil(groups / ROW_OF_GROUPS)];
}
