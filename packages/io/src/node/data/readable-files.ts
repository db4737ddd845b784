import { UserError } from '@langevin/tensor';
import { isMissingPackage } from '../optional-package.ts';

// Decoding runs in sharp's thread pool; more in flight only costs memory.
const IN_FLIGHT = 8;
/** As many files as a remark names. */
const NAMED = 20;

/**
 * The files that can be read, in their order, and a remark that names the others with the reason of each.
 *
 * @throws UserError when none can be read; what reading throws when its decoder is not installed, which is no file's fault
 */
export async function readableFiles(
  files: readonly string[],
  read: (file: string) => Promise<unknown>,
): Promise<{ readonly files: readonly string[]; readonly remarks: readonly string[] }> {
  const kept: string[] = [];
  const failed: string[] = [];
  for (let start = 0; start < files.length; start += IN_FLIGHT) {
    const some = files.slice(start, start + IN_FLIGHT);
    const results = await Promise.allSettled(some.map((file) => read(file)));
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') kept.push(some[i]!);
      else if (isMissingPackage(result.reason)) throw result.reason;
      else failed.push(`${some[i]!} (${result.reason instanceof Error ? result.reason.message : String(result.reason)})`);
    }
  }
  if (kept.length === 0)
    throw new UserError(`[io/data] none of ${files.length} pictures can be read; the first: ${failed[0] ?? 'none given'}.`);
  if (failed.length === 0) return { files: kept, remarks: [] };
  const more = failed.length > NAMED ? `; and ${failed.length - NAMED} more` : '';
  return {
    files: kept,
    remarks: [`${failed.length} of ${files.length} pictures cannot be read and are left out: ${failed.slice(0, NAMED).join('; ')}${more}`],
  };
}
