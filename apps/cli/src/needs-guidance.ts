import type { DetailPart, Sampler } from '@langevin/core';
import { arrayAlgebra } from '@langevin/core-schedules';

/** Thrown instead of giving what was asked for. */
class Asked extends Error {
  readonly part: DetailPart;

  constructor(part: DetailPart) {
    super(part);
    this.part = part;
  }
}

/**
 * Whether a sampler works with guided denoisers only, as the CFG++ samplers do: its first step is tried on one number, and asks for the
 * unconditional prediction or does not.
 */
export async function needsGuidance(sampler: Sampler): Promise<boolean> {
  const levels = [4, 2, 1, 0].map((sigma) => ({ alpha: 1, sigma }));
  const ones = Float64Array.of(1);
  try {
    await sampler.step<Float32Array | Float64Array>({
      x: ones,
      from: levels[0]!,
      to: levels[1]!,
      index: 0,
      levels,
      denoise: () => Promise.resolve(ones),
      detail: (part) => Promise.reject(new Asked(part)),
      noise: () => Promise.resolve(ones),
      algebra: arrayAlgebra(),
      state: sampler.init(),
    });
    return false;
  } catch (error) {
    // Any other failure is told when the sampler runs.
    return error instanceof Asked && error.part === 'unconditional';
  }
}
