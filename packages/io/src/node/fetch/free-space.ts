import { statfs } from 'node:fs/promises';
import { UserError } from '@langevin/tensor';
import { showMegabytes } from './show.ts';

/** See that a disk has room before minutes are spent on filling it. @throws UserError when it has not */
export async function checkFreeSpace(
  folder: string,
  {
    part,
    bytes,
    setting = 'LANGEVIN_CACHE',
  }: {
    readonly part: string;
    readonly bytes: number;
    /** The variable that says where the folder is. @default 'LANGEVIN_CACHE' */
    readonly setting?: string;
  },
): Promise<void> {
  // A file system that does not tell is tried.
  const stats = await statfs(folder).catch(() => undefined);
  if (stats === undefined) return;
  const free = stats.bavail * stats.bsize;
  if (free >= bytes) return;
  throw new UserError(
    `[io/fetch] disk has too little room: part=${part}, needs ${showMegabytes(bytes)}, free=${showMegabytes(free)}, `
      + `folder=${JSON.stringify(folder)}. Free some space, or set ${setting} to a folder of another disk.`,
  );
}
