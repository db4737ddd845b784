import { UserError } from '@langevin/tensor';

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space.',
  EDQUOT: 'The disk quota is used up: free some space.',
  EFBIG: 'The file is larger than this disk or user may write.',
  EIO: 'The disk reports a failure: check it.',
  ENOENT: 'Create the folder first.',
  ENOTDIR: 'A part of the path is a file, not a folder.',
  EEXIST: 'A part of the path is a file, not a folder.',
  EISDIR: 'The path is a folder: name a file in it.',
  EACCES: 'Permission is denied: choose another folder.',
  EPERM: 'Permission is denied: choose another folder.',
  EROFS: 'The disk is read-only: choose another folder.',
  ENAMETOOLONG: 'The name is too long: choose a shorter one.',
  ELOOP: 'Symbolic links lead in a circle: choose another path.',
};

/** Whether an error is the operating system's, not one of a program. */
export function isDiskError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  const { code, syscall } = (typeof error === 'object' && error !== null ? error : {}) as NodeJS.ErrnoException;
  return typeof code === 'string' && typeof syscall === 'string';
}

/** What to do about an error of the operating system, as a sentence. */
export function remedyOf(error: unknown): string {
  const code = isDiskError(error) ? error.code : error instanceof Error ? error.message : String(error);
  return REMEDIES[code] ?? `Check the disk: ${code}.`;
}

/** The error for a folder that cannot be made or written to. */
export function cannotUseFolder(folder: string, cause: unknown): UserError {
  const code = isDiskError(cause) ? cause.code : String(cause);
  return new UserError(`[io/folder] folder cannot be used: folder=${JSON.stringify(folder)}, code=${code}. ${remedyOf(cause)}`, { cause });
}
