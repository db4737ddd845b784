import { UnsupportedError, UserError } from '@langevin/tensor';

/** What some work gives; its errors name the file that it was about. */
export function naming<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${error.message} File: ${file}.`, { cause: error });
    if (error instanceof UnsupportedError) throw new UnsupportedError(`${error.message} File: ${file}.`, { cause: error });
    throw error;
  }
}
