export { encodePrompts, type EncodedWindows, type EncodePromptsOptions } from './encode-prompts.ts';
export { parsePrompt, promptDialects, type PromptDialect } from './parse-prompt.ts';
export type { PromptPiece } from './pieces.ts';
export { planPrompt, type PlanPromptOptions, type PromptPlan, type PromptWindow } from './plan-prompt.ts';
