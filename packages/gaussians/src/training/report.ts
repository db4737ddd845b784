/**
 * How the report of `@langevin/training/node` shows a training of this package: `reported(events, { folder, name, ...SPLAT_REPORT })`.
 *
 * @example
 * SPLAT_REPORT.titles.heldOutPsnr; // => 'PSNR of held-out views, dB'
 */
export const SPLAT_REPORT = Object.freeze({
  pixels: 'smooth',
  pictures: 'Held-out views: photograph, render',
  titles: {
    psnr: 'PSNR of the training view, dB',
    ssim: 'SSIM of the training view',
    l1: 'mean absolute difference of the training view',
    count: 'Gaussians',
    heldOutPsnr: 'PSNR of held-out views, dB',
    heldOutSsim: 'SSIM of held-out views',
    heldOutPerceptual: 'perceptual distance of held-out views',
  },
  linear: ['psnr', 'ssim', 'count', 'heldOutPsnr', 'heldOutSsim'],
} as const);
