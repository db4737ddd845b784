import type { FloatArray } from '../gaussians.ts';

/**
 * Mean absolute difference of depths over the pixels where the target is known (> 0), and its gradient.
 *
 * @param options.space `disparity` compares 1 / depth, which weighs the near more, as gsplat does. @default 'disparity'
 */
export function depthLoss<A extends FloatArray>(
  depth: A,
  target: FloatArray,
  options: { readonly space?: 'depth' | 'disparity'; readonly weight: number },
): { readonly loss: number; readonly gradient: A } {
  const { space = 'disparity', weight } = options;
  const gradient = depth.slice().fill(0) as A;
  let known = 0;
  for (let i = 0; i < target.length; i++) if (target[i]! > 0) known++;
  if (known === 0) return { loss: 0, gradient };
  let sum = 0;
  for (let i = 0; i < target.length; i++) {
    if (!(target[i]! > 0)) continue;
    const z = depth[i]!;
    // Where nothing was drawn there is no disparity, and no way to make one.
    if (space === 'disparity' && !(z > 0)) {
      sum += 1 / target[i]!;
      continue;
    }
    const difference = space === 'disparity' ? 1 / z - 1 / target[i]! : z - target[i]!;
    const slope = space === 'disparity' ? -1 / (z * z) : 1;
    sum += Math.abs(difference);
    gradient[i] = (Math.sign(difference) * slope * weight) / known;
  }
  return { loss: (weight * sum) / known, gradient };
}
