import type { DType } from '@langevin/tensor';

/** How elements of one type lie in a GGUF file: in blocks of so many elements and bytes (ggml, `ggml_type`). */
export interface BlockType {
  readonly name: string;
  readonly elements: number;
  readonly bytes: number;
  /** Where the bytes are the elements of a dtype as they are. */
  readonly plain?: DType;
}

const K = 256;

/** By the number that files have. Numbers that are missing were given up by the format. */
export const blockTypes: ReadonlyMap<number, BlockType> = new Map(
  (
    [
      [0, 'F32', 1, 4, 'float32'],
      [1, 'F16', 1, 2, 'float16'],
      [2, 'Q4_0', 32, 18],
      [3, 'Q4_1', 32, 20],
      [6, 'Q5_0', 32, 22],
      [7, 'Q5_1', 32, 24],
      [8, 'Q8_0', 32, 34],
      [9, 'Q8_1', 32, 36],
      [10, 'Q2_K', K, 84],
      [11, 'Q3_K', K, 110],
      [12, 'Q4_K', K, 144],
      [13, 'Q5_K', K, 176],
      [14, 'Q6_K', K, 210],
      [15, 'Q8_K', K, 292],
      [16, 'IQ2_XXS', K, 66],
      [17, 'IQ2_XS', K, 74],
      [18, 'IQ3_XXS', K, 98],
      [19, 'IQ1_S', K, 50],
      [20, 'IQ4_NL', 32, 18],
      [21, 'IQ3_S', K, 110],
      [22, 'IQ2_S', K, 82],
      [23, 'IQ4_XS', K, 136],
      [24, 'I8', 1, 1],
      [25, 'I16', 1, 2],
      [26, 'I32', 1, 4, 'int32'],
      [27, 'I64', 1, 8, 'int64'],
      [28, 'F64', 1, 8],
      [29, 'IQ1_M', K, 56],
      [30, 'BF16', 1, 2, 'bfloat16'],
      [34, 'TQ1_0', K, 54],
      [35, 'TQ2_0', K, 66],
      [39, 'MXFP4', 32, 17],
    ] as const
  ).map(([number, name, elements, bytes, plain]) => [number, { name, elements, bytes, ...(plain !== undefined && { plain }) }]),
);
