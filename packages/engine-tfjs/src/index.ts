export { availableBackends, backendNames } from './backends.ts';
export type { BackendName, BackendOptions, BackendStatus, WasmPaths } from './backends.ts';
export { tfjsEngine } from './engine.ts';
export type { TfjsEngineOptions } from './engine.ts';
