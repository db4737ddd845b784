import { UnsupportedError } from '@langevin/tensor';
import type { Gpu, GpuAdapter, GpuDevice, GpuLimits } from './gpu.ts';

const WHERE = 'gaussians/webgpu';
const CPU_INSTEAD = 'Or use cpuRasterizer().';

interface Host {
  readonly navigator?: { readonly gpu?: Gpu };
  readonly process?: { readonly versions?: { readonly node?: string } };
}

/** A device, and what it calls itself. */
export interface Acquired {
  readonly device: GpuDevice;
  readonly description: string;
}

/** What WebGPU guarantees everywhere, and the kernels need. */
const NEEDED: Readonly<Partial<Record<keyof GpuLimits, number>>> = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
};

/**
 * A device of this browser or, in Node, of the optional package `webgpu`, with buffers as large as the adapter has.
 *
 * @throws UnsupportedError where there is none, or only one that computes on the CPU and `software` is 'refuse'
 */
export async function acquireDevice(software: 'accept' | 'refuse'): Promise<Acquired> {
  const gpu = await findGpu();
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch((cause: unknown) => {
    throw new UnsupportedError(`[${WHERE}] no adapter could be had: ${messageOf(cause)}. Check the graphics driver. ${CPU_INSTEAD}`, {
      cause,
    });
  });
  if (adapter === null)
    throw new UnsupportedError(
      `[${WHERE}] no adapter here: requestAdapter()=null. Install a driver for Vulkan, Metal or Direct3D 12. ${CPU_INSTEAD}`,
    );
  const { info } = adapter;
  const description = [info.vendor, info.architecture, info.description].filter((part) => part !== '').join(' ') || 'unnamed adapter';
  if (software === 'refuse' && isSoftware(adapter))
    throw new UnsupportedError(
      `[${WHERE}] the adapter computes on the CPU, slower than the kernels made for it: adapter=${description}. Pass software: `
        + `'accept' to use it. ${CPU_INSTEAD}`,
    );
  try {
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
    const device = await adapter.requestDevice({
      label: 'langevin gaussians',
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    });
    return { device, description };
  } catch (cause) {
    throw new UnsupportedError(
      `[${WHERE}] the adapter gives no device: adapter=${description}, ${messageOf(cause)}. Check the graphics driver. ${CPU_INSTEAD}`,
      { cause },
    );
  }
}

/** Throws an UnsupportedError where a device has less than what WebGPU guarantees. */
export function checkDevice({ limits }: GpuDevice): void {
  for (const [name, needed] of Object.entries(NEEDED)) {
    const limit = limits[name as keyof GpuLimits];
    if (!(limit >= needed))
      throw new UnsupportedError(
        `[${WHERE}] the device is below WebGPU's default limits: ${name}=${limit}, needed ${needed}. Request it without `
          + `compatibility mode. ${CPU_INSTEAD}`,
      );
  }
}

function isSoftware({ info, isFallbackAdapter }: GpuAdapter): boolean {
  return (
    (info.isFallbackAdapter ?? isFallbackAdapter ?? false)
    || /swiftshader|llvmpipe|basic render/i.test(`${info.architecture} ${info.description}`)
  );
}

async function findGpu(): Promise<Gpu> {
  const host = globalThis as unknown as Host;
  if (host.navigator?.gpu !== undefined) return host.navigator.gpu;
  if (host.process?.versions?.node === undefined)
    throw new UnsupportedError(
      `[${WHERE}] no WebGPU in this browser: navigator.gpu=undefined. Use a current browser, over https or on localhost. ${CPU_INSTEAD}`,
    );
  return nodeGpu();
}

/** Kept: a second instance of the library in one process costs memory and gains nothing. */
let ofNode: Promise<Gpu> | undefined;

function nodeGpu(): Promise<Gpu> {
  ofNode ??= loadNodeGpu();
  // Once the package is installed the next call finds it.
  ofNode.catch(() => (ofNode = undefined));
  return ofNode;
}

async function loadNodeGpu(): Promise<Gpu> {
  // A name in a variable keeps bundlers from looking for an optional package.
  const name: string = 'webgpu';
  try {
    const { create } = (await import(/* @vite-ignore */ name)) as { readonly create: (options: readonly string[]) => Gpu };
    return create(['disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension']);
  } catch (cause) {
    throw new UnsupportedError(
      `[${WHERE}] the optional package for WebGPU in Node cannot be loaded: webgpu, ${messageOf(cause)}. Install it with \`npm `
        + `install webgpu\`. ${CPU_INSTEAD}`,
      { cause },
    );
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
}
