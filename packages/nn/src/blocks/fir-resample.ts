import { conv, convTranspose, reshape, tensor, UserError, type Tensor } from '@langevin/tensor';

/** [1, 3, 3, 1] / 8 along each axis: sums to 1. */
const taps = [1, 3, 3, 1].map((tap) => tap / 8);

/** The filter [1, 1, 4, 4], times a gain. */
const filter = (gain: number): Tensor =>
  tensor(Float32Array.from(taps.flatMap((a) => taps.map((b) => a * b * gain))), { shape: [1, 1, 4, 4] });

/** Each channel by itself: [N, C, H, W] to [N C, 1, H, W], and back. */
function perChannel(x: Tensor, change: (planes: Tensor) => Tensor): Tensor {
  const [n, c, height, width] = x.shape as readonly [number, number, number, number];
  const planes = change(reshape(x, [n * c, 1, height, width]));
  return reshape(planes, [n, c, ...planes.shape.slice(2)]);
}

/**
 * Halve height and width of [N, C, H, W] behind the filter [1, 3, 3, 1], which keeps what the smaller picture cannot show from folding back
 * into it: diffusers' `FirDownsample2D`, of StyleGAN 2 and NCSN++ (Song et al. 2021, arXiv:2011.13456, app. H). Pixels outside are 0.
 *
 * @throws UserError when a side is odd
 * @example
 * await numbers(firHalved(ones([1, 1, 4, 4]))); // => [0.765625, 0.765625, 0.765625, 0.765625]
 */
export function firHalved(x: Tensor): Tensor {
  if (x.shape.slice(2).some((n) => n % 2 !== 0)) {
    throw new UserError(`[nn/firHalved] image has an odd side: x=[${x.shape.join(', ')}]. Pad or resize the image.`);
  }
  return perChannel(x, (planes) => conv(planes, filter(1), { stride: 2, padding: 1 }));
}

/** Double height and width of [N, C, H, W] with the same filter between the pixels: diffusers' `FirUpsample2D`. */
export function firDoubled(x: Tensor): Tensor {
  return perChannel(x, (planes) => convTranspose(planes, filter(4), { stride: 2, padding: 1 }));
}
