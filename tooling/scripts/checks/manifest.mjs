// What the manifest of a published package says: found on the registry, it leads back here; installed, it brings one copy of tensor.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MIN_TYPESCRIPT, REPOSITORY } from '../lib.mjs';

/** Values of these two meet in one program and must be of one copy: whoever installs a package of ours brings them. */
const PEERS = ['@langevin/tensor', '@langevin/core'];

const PREPACK = 'node ../../tooling/scripts/only-pnpm.mjs';

/** What a dependency takes from whoever installs it, each that depends on it has to pass on or to bring. */
export function passedOnFaults(members) {
  const peersOf = new Map(
    members.map(({ manifest }) => [manifest.name, Object.keys(manifest.peerDependencies ?? {}).filter((name) => PEERS.includes(name))]),
  );
  return members.flatMap(({ folder, manifest: { dependencies = {}, peerDependencies = {} } }) => {
    const wanted = new Set(Object.keys({ ...dependencies, ...peerDependencies }).flatMap((name) => peersOf.get(name) ?? []));
    return [...wanted]
      .filter((name) => dependencies[name] === undefined && peerDependencies[name] === undefined)
      .map((name) => `${folder}/package.json: a dependency has the peer ${name}. Name it as "workspace:^" too.`);
  });
}

export function manifestFaults({ folder, dir, manifest }) {
  const faults = [];
  const demand = (holds, message) => void (holds || faults.push(`${folder}/package.json: ${message}`));
  const same = (field, wanted) =>
    demand(
      JSON.stringify(manifest[field]) === JSON.stringify(wanted),
      `${field}=${JSON.stringify(manifest[field])}. It must be ${JSON.stringify(wanted)}.`,
    );

  same('homepage', `${REPOSITORY}/tree/main/${folder}#readme`);
  same('bugs', `${REPOSITORY}/issues`);
  same('repository', { type: 'git', url: `git+${REPOSITORY}.git`, directory: folder });
  same('type', 'module');
  same('sideEffects', false);
  same('engines', { node: '>=20.19' });
  demand(
    (manifest.keywords?.length ?? 0) >= 3,
    `keywords=${JSON.stringify(manifest.keywords)}. Name three things that it is looked for by.`,
  );
  demand((manifest.description ?? '').length >= 20, `description=${manifest.description}. Say in one sentence what the package is for.`);
  demand(manifest.files?.includes('README.md'), 'files must list README.md.');
  demand(
    manifest.license === 'MIT' || existsSync(join(dir, 'LICENSE')),
    `license=${manifest.license}. Put that licence into ${folder}/LICENSE.`,
  );

  demand(
    !hasWorkspaceRange(manifest) || manifest.scripts?.prepack === PREPACK,
    `scripts.prepack=${manifest.scripts?.prepack}. It must be "${PREPACK}", since npm would publish "workspace:^" as it stands.`,
  );
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (name.startsWith('@langevin/'))
      demand(range === 'workspace:^', `${name} is "${range}". Exact ranges make copies: write "workspace:^".`);
  }
  if (folder.startsWith('packages/')) faults.push(...peerFaults(folder, manifest));
  return faults;
}

function hasWorkspaceRange({ dependencies, peerDependencies, optionalDependencies }) {
  return Object.values({ ...dependencies, ...peerDependencies, ...optionalDependencies }).some((range) => range.startsWith('workspace:'));
}

function peerFaults(folder, { name: self, exports, dependencies, peerDependencies, peerDependenciesMeta, devDependencies }) {
  const faults = [];
  for (const name of PEERS.filter((peer) => peer !== self)) {
    if (dependencies?.[name] !== undefined) faults.push(`${name} is a dependency. Make it a peer, so that a program has one copy of it.`);
    if (peerDependencies?.[name] !== undefined && devDependencies?.[name] !== 'workspace:*')
      faults.push(`the peer ${name} is not in devDependencies as "workspace:*". The workspace links only what is there.`);
  }
  if (peerDependencies?.typescript !== `>=${MIN_TYPESCRIPT}` || peerDependenciesMeta?.typescript?.optional !== true)
    faults.push(`the oldest TypeScript is not declared. Add the optional peer "typescript": ">=${MIN_TYPESCRIPT}".`);
  if (exports?.['./node'] !== undefined && peerDependenciesMeta?.['@types/node']?.optional !== true)
    faults.push('the declarations of ./node use those of Node. Add the optional peer "@types/node": ">=20".');
  for (const name of Object.keys(peerDependenciesMeta ?? {})) {
    if (peerDependencies?.[name] === undefined) faults.push(`peerDependenciesMeta names ${name}, which is no peer.`);
  }
  return faults.map((fault) => `${folder}/package.json: ${fault}`);
}
