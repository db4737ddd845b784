import { UnsupportedError } from '@langevin/tensor';

/**
 * Import a package that users install only when they need it.
 *
 * @param load the import itself, written as `() => import('name')` so that bundlers see it
 * @throws {UnsupportedError} naming the package and the command that installs it
 */
export async function importOptional<Module>(name: string, part: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    const error = new UnsupportedError(
      `[io/${part}] ${name} ${missing ? 'is not installed' : `could not be loaded: ${(cause as Error).message}`}. Install it: npm `
        + `install ${name}`,
      { cause },
    );
    ofMissingPackages.add(error);
    throw error;
  }
}

const ofMissingPackages = new WeakSet();

/** Whether an error says that a package is missing, so that no input is to blame. */
export function isMissingPackage(error: unknown): boolean {
  return typeof error === 'object' && error !== null && ofMissingPackages.has(error);
}
