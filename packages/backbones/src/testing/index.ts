export { checkBackbone, type CheckBackboneOptions } from './check-backbone.ts';
