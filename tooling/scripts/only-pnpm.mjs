// Runs as the "prepack" of every package: only pnpm writes versions where our manifests say "workspace:^". A tarball that npm or yarn
// packs could be published, and then installed by nobody.
import { pathToFileURL } from 'node:url';

/**
 * What is wrong with packing by this program; undefined where it is pnpm.
 *
 * @param {string | undefined} agent `npm_config_user_agent`, which every package manager sets for the scripts that it runs
 */
export function packingFault(agent) {
  if (agent?.startsWith('pnpm/')) return undefined;
  return (
    `[workspace/publish] packed by a program that leaves "workspace:^" in the manifest: program=${agent?.split(' ')[0] ?? 'unknown'}. `
    + 'Use "npx pnpm@12.21.0 pack" or "npx pnpm@12.21.0 publish".'
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const fault = packingFault(process.env['npm_config_user_agent']);
  if (fault !== undefined) {
    console.error(fault);
    process.exitCode = 1;
  }
}
