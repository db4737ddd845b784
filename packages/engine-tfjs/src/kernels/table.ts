import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { indexing } from './indexing.ts';
import type { KernelTable } from './kernel.ts';
import { layout } from './layout.ts';
import { linear } from './matmul.ts';
import { reduce } from './reduce.ts';

/** How each primitive runs on TensorFlow.js. */
export const kernels: KernelTable = { ...elementwise, ...reduce, ...layout, ...indexing, ...linear, ...convolution };
