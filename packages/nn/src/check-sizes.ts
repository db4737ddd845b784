import { checkNumber, UserError } from '@langevin/tensor';

/** Refuse sizes of a layer that are not integers >= 1, naming them. */
export function checkSizes(where: string, sizes: Readonly<Record<string, number>>): void {
  checkNumber(`nn/${where}`, sizes, { atLeast: 1, kind: 'integer' });
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
