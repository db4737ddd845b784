export type { AdapterTarget } from './module-index.ts';
export { openAdapter, type AdapterFile } from './open-adapter.ts';
export { peftSettings, type ModuleSettings, type PeftSettings } from './peft-settings.ts';
export { readAdapter, type AdapterAccount, type ReadAdapter, type ReadAdapterOptions } from './read-adapter.ts';
export { readTextEmbedding, type TextEmbedding } from './read-embedding.ts';
