// Shared by the scripts beside it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Source text as `npm run format` leaves it. */
export async function formatted(path, text) {
  const { format } = await import('prettier');
  return format(text, { ...readJson(join(root, '.prettierrc.json')), filepath: path });
}

/** Every workspace member below `parent` ("packages", "apps"), with its folder and manifest. */
export function membersOf(parent) {
  const base = join(root, parent);
  if (!existsSync(base)) return [];
  return readdirSync(base, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ folder: `${parent}/${entry.name}`, dir: join(base, entry.name) }))
    .filter(({ dir }) => existsSync(join(dir, 'package.json')))
    .map((member) => ({ ...member, manifest: readJson(join(member.dir, 'package.json')) }));
}

/** Where the project lives: manifests name it, and READMEs, which the registry shows without the files around them, link to it. */
export const REPOSITORY = 'https://github.com/langevin-js/langevin';

/** The oldest compiler that reads the declarations: the first whose typed arrays name their buffer. */
export const MIN_TYPESCRIPT = '5.7';

/** Whatever goes to the registry: packages, and the apps and models that are not private. */
export const publishedMembers = () => ['packages', 'apps', 'models'].flatMap(membersOf).filter(({ manifest }) => manifest.private !== true);

export const publicPackages = () => membersOf('packages').filter(({ manifest }) => manifest.private !== true);

/** Ends the script: prints each fault on its own line and exits with 1, or prints `fine` and returns. */
export function conclude(part, faults, fine) {
  if (faults.length === 0) {
    console.log(`[workspace/${part}] ${fine}`);
    return;
  }
  for (const fault of faults) console.error(`[workspace/${part}] ${fault}`);
  console.error(`[workspace/${part}] ${faults.length} fault${faults.length === 1 ? '' : 's'} found.`);
  process.exitCode = 1;
}

/** The modules of a folder that holds one file for each entry of a registry, by name. */
export const moduleNames = (folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && file !== 'index.ts' && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();

/** dpmpp-2m.ts exports dpmpp2m. */
export const factoryName = (name) => name.replace(/-([a-z0-9])/gu, (_, letter) => letter.toUpperCase());
