import { checkNumber, UserError } from '@langevin/tensor';

/** A range of sigma = sigma / alpha outside of which nothing is drawn. */
export interface TruncatedOptions {
  /** >= 0. @default 0 */
  readonly sigmaMin?: number;
  /** > sigmaMin. @default Infinity */
  readonly sigmaMax?: number;
}

export function checkSigmaRange(
  where: string,
  { sigmaMin, sigmaMax, scale }: { readonly sigmaMin: number; readonly sigmaMax: number; readonly scale: number },
): void {
  checkNumber(where, { sigmaMin }, { atLeast: 0 });
  if (Number.isNaN(sigmaMax) || sigmaMax <= sigmaMin)
    throw new UserError(
      `[${where}] sigmaMax must be above sigmaMin: sigmaMin=${sigmaMin}, sigmaMax=${sigmaMax}. Swap them, or leave one out.`,
    );
  checkNumber(where, { sigmaData: scale }, { above: 0 });
}
