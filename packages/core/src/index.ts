export { checkConditions, dropConditions, maskOf, type Conditions, type ConditionSpec, type ConditionSpecs } from './conditions.ts';
export type { Network, NetworkInfo, NetworkInputs } from './network.ts';
export { listenAt, tapped, type Taps } from './taps.ts';
export type { Autoencoder, AutoencoderInfo, Posterior } from './autoencoder.ts';
