import { shownValue } from '../check-number.ts';
import { UserError } from '../errors.ts';
import { showShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { matmul } from './matmul.ts';
import { shapeOf } from './operands.ts';
import { sum } from './sum.ts';
import { reshape, transpose } from './shaping.ts';
import { mul } from './binary.ts';
import { gatherDiagonal } from './diagonal.ts';

/**
 * Einstein summation: `einsum('bhld,bhsd->bhls', q, k)`. Operands are contracted from left to right, each pair as one batched matrix
 * product. Letters only, with `->`; a repeated letter inside one operand takes the diagonal. No ellipsis: name the axes.
 *
 * @throws UserError when the equation does not fit the operands
 */
export function einsum(equation: string, ...tensors: readonly Tensor[]): Tensor {
  if (typeof equation !== 'string')
    throw new UserError(`[tensor/einsum] equation is no text: equation=${shownValue(equation)}. Write 'ab,bc->ac'.`);
  const match = /^([A-Za-z,]*)->([A-Za-z]*)$/.exec(equation.replace(/\s+/g, ''));
  const terms = match?.[1]!.split(',') ?? [];
  const output = match?.[2] ?? '';
  if (!match || terms.length !== tensors.length || new Set(output).size !== output.length) {
    throw new UserError(
      `[tensor/einsum] equation does not parse for ${tensors.length} operands: equation="${equation}". Write 'ab,bc->ac': one term `
        + 'for each operand, letters of the result once.',
    );
  }
  const sizes = new Map<string, number>();
  terms.forEach((term, t) => {
    if (term.length !== shapeOf('tensor/einsum', tensors[t]!).length) throw mismatch(equation, term, tensors[t]!);
    [...term].forEach((letter, axis) => {
      const n = tensors[t]!.shape[axis]!;
      if ((sizes.get(letter) ?? n) !== n) throw mismatch(equation, term, tensors[t]!);
      sizes.set(letter, n);
    });
  });
  for (const letter of output) {
    if (!sizes.has(letter))
      throw new UserError(
        `[tensor/einsum] result names an unknown letter: letter=${letter}, equation="${equation}". It must occur in an operand.`,
      );
  }
  let left = distinct({ tensor: tensors[0]!, letters: terms[0]! });
  for (let t = 1; t < terms.length; t++) {
    const needed = new Set(output + terms.slice(t + 1).join(''));
    left = contract([left, distinct({ tensor: tensors[t]!, letters: terms[t]! })], needed, sizes);
  }
  left = sumAway(left, new Set(output));
  return transpose(
    left.tensor,
    [...output].map((letter) => left.letters.indexOf(letter)),
  );
}

interface Labelled {
  readonly tensor: Tensor;
  /** One letter for each axis. */
  readonly letters: string;
}

function mismatch(equation: string, term: string, tensor: Tensor): UserError {
  return new UserError(
    `[tensor/einsum] operand does not fit its term: equation="${equation}", term="${term}", operand=${showShape(tensor.shape)}. `
      + 'Each letter has one size everywhere.',
  );
}

function distinct(operand: Labelled): Labelled {
  const { letters, tensor } = operand;
  for (let i = 0; i < letters.length; i++) {
    const j = letters.indexOf(letters[i]!, i + 1);
    if (j > i) return distinct({ tensor: gatherDiagonal(tensor, i, j), letters: letters.slice(0, j) + letters.slice(j + 1) });
  }
  return operand;
}

function sumAway({ tensor, letters }: Labelled, keep: ReadonlySet<string>): Labelled {
  const axes = [...letters].flatMap((letter, i) => (keep.has(letter) ? [] : [i]));
  return {
    tensor: axes.length === 0 ? tensor : sum(tensor, { axes }),
    letters: [...letters].filter((letter) => keep.has(letter)).join(''),
  };
}

function contract([a, b]: readonly [Labelled, Labelled], needed: ReadonlySet<string>, sizes: ReadonlyMap<string, number>): Labelled {
  const left = sumAway(a, new Set([...needed, ...b.letters]));
  const right = sumAway(b, new Set([...needed, ...a.letters]));
  const shared = [...left.letters].filter((letter) => right.letters.includes(letter));
  const batch = shared.filter((letter) => needed.has(letter)).join('');
  const inner = shared.filter((letter) => !needed.has(letter)).join('');
  const rows = [...left.letters].filter((letter) => !shared.includes(letter)).join('');
  const columns = [...right.letters].filter((letter) => !shared.includes(letter)).join('');
  const sizeOfLetters = (letters: string): number[] => [...letters].map((letter) => sizes.get(letter)!);
  const arrange = (operand: Labelled, order: string, groups: readonly string[]): Tensor =>
    reshape(
      transpose(
        operand.tensor,
        [...order].map((letter) => operand.letters.indexOf(letter)),
      ),
      [...sizeOfLetters(batch), ...groups.map((group) => sizeOf(sizeOfLetters(group)))],
    );
  const letters = batch + rows + columns;
  const x = arrange(left, batch + rows + inner, [rows, inner]);
  const y = arrange(right, batch + inner + columns, [inner, columns]);
  const product = inner === '' ? mul(x, y) : matmul(x, y);
  return { tensor: reshape(product, sizeOfLetters(letters)), letters };
}
