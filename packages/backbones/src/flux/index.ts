export { completeFluxConfig, fluxToConfig, parseFluxConfig, type FluxConfig } from './config.ts';
export { fluxBackbone } from './plugin.ts';
export { flux, fluxFromConfig, type FluxOptions, type FluxParams } from './flux.ts';
