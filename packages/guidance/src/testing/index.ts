export { testGuidance, type GuidanceTestOptions } from './test-guidance.ts';
