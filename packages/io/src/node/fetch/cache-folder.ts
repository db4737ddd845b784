import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where fetched data lies: `LANGEVIN_CACHE`, else `.cache/langevin` in the user's home.
 *
 * @param env the environment that is asked. @default that of this process
 * @example
 * import { cacheFolder } from '@langevin/io/node';
 * cacheFolder({ LANGEVIN_CACHE: '/data/cache' }); // => '/data/cache'
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const named = env['LANGEVIN_CACHE']?.trim() ?? '';
  return named === '' ? join(homedir(), '.cache', 'langevin') : resolve(named);
}
