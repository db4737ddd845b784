export { testAutoencoder, type AutoencoderTestOptions } from './test-autoencoder.ts';
export { checkReconstructionLoss, type CheckReconstructionLossOptions } from './check-reconstruction-loss.ts';
export { checkRegulariser, type CheckRegulariserOptions } from './check-regulariser.ts';
