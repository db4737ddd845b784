export { referenceEngine, type ReferenceEngine, type ReferenceOptions } from './reference/engine.ts';
