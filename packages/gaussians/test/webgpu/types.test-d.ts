/// <reference types="@webgpu/types" />
import type { GpuDevice } from '@langevin/gaussians';

/** A browser's device is one of ours: checked when this file is compiled. */
export const device: (given: GPUDevice) => GpuDevice = (given) => given;
