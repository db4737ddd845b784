export { completeFlux2Config, flux2ToConfig, parseFlux2Config, type Flux2Config } from './config.ts';
export { flux2Backbone } from './plugin.ts';
export { flux2, flux2FromConfig, type Flux2Options, type Flux2Params } from './flux2.ts';
