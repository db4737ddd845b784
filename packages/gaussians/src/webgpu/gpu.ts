/** What this package uses of WebGPU, by shape, so that nobody needs the types of browsers: a GPUDevice is a {@link GpuDevice}. */

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number, offset?: number, size?: number): Promise<unknown>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): unknown;
  destroy(): unknown;
}

/** An object that is only handed back to the device. */
export type GpuHandle = object;

export interface GpuPipeline {
  getBindGroupLayout(index: number): GpuHandle;
}

export interface GpuComputePass {
  setPipeline(pipeline: GpuHandle): unknown;
  /** `never`, for overloads are compared strictly. */
  setBindGroup(index: number, group: never): unknown;
  dispatchWorkgroups(x: number, y?: number, z?: number): unknown;
  dispatchWorkgroupsIndirect(buffer: GpuHandle, offset: number): unknown;
  end(): unknown;
}

export interface GpuEncoder {
  beginComputePass(): GpuComputePass;
  copyBufferToBuffer(source: GpuHandle, sourceOffset: number, target: GpuHandle, targetOffset: number, size: number): unknown;
  finish(): GpuHandle;
}

export interface GpuLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/** The part of GPUDevice that draws. */
export interface GpuDevice {
  readonly limits: GpuLimits;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: {
    writeBuffer(buffer: GpuHandle, offset: number, data: GpuHandle): unknown;
    submit(commands: Iterable<GpuHandle>): unknown;
  };
  createBuffer(descriptor: { readonly label: string; readonly size: number; readonly usage: number }): GpuBuffer;
  createShaderModule(descriptor: { readonly label: string; readonly code: string }): GpuHandle;
  createComputePipelineAsync(descriptor: {
    readonly label?: string;
    readonly layout: GpuHandle | string;
    readonly compute: { readonly module: GpuHandle; readonly entryPoint?: string };
  }): Promise<GpuPipeline>;
  createBindGroup(descriptor: {
    readonly layout: GpuHandle;
    readonly entries: Iterable<{ readonly binding: number; readonly resource: GpuHandle }>;
  }): GpuHandle;
  createCommandEncoder(): GpuEncoder;
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): unknown;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  destroy(): unknown;
}

export interface GpuAdapter {
  readonly limits: GpuLimits;
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
  readonly isFallbackAdapter?: boolean;
  requestDevice(descriptor: { readonly label: string; readonly requiredLimits: Readonly<Record<string, number>> }): Promise<GpuDevice>;
}

export interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<GpuAdapter | null>;
}

/** Flags of GPUBufferUsage and GPUMapMode. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128, indirect: 256 } as const;
export const MAP_READ = 1;
