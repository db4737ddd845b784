import { UserError } from '@langevin/tensor';

/** Refuse sizes of a layer that are not integers >= 1, naming them. */
export function checkSizes(where: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isInteger(value) || value < 1)
      throw new UserError(`[nn/${where}] size is not a positive integer: ${name}=${value}. Give an integer >= 1.`);
  }
}

/** Refuse channels that groups or heads do not divide. */
export function checkDivides(where: string, parts: Readonly<Record<string, number>>, whole: Readonly<Record<string, number>>): void {
  const [partName, part] = Object.entries(parts)[0]!;
  for (const [name, value] of Object.entries(whole)) {
    if (value % part !== 0)
      throw new UserError(
        `[nn/${where}] ${partName} does not divide ${name}: ${partName}=${part}, ${name}=${value}. Choose sizes that divide.`,
      );
  }
}
