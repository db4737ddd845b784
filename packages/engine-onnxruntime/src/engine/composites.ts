import type { CompositeName } from '@langevin/tensor';

/** Composites that ONNX Runtime runs in fewer passes than their definitions. */
export const loweredComposites: ReadonlySet<CompositeName> = new Set<CompositeName>([
  'silu',
  'gelu',
  'attention',
  'groupNorm',
  'maxPool',
  'avgPool',
]);
