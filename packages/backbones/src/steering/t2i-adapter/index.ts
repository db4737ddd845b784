export { parseT2iAdapterConfig, t2iAdapterToConfig, type T2iAdapterConfig } from './config.ts';
export { t2iAdapterPlugin } from './plugin.ts';
export { t2iAdapter, t2iAdapterFromConfig, type AdapterBlockParams, type T2iAdapterParams } from './t2i-adapter.ts';
