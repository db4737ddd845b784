import { describe, expect, test } from 'vitest';
import { manifestFaults, passedOnFaults } from '../checks/manifest.mjs';
import { importedPackages, installFaults, installLines } from '../checks/readme.mjs';
import { packingFault } from '../only-pnpm.mjs';
import { withoutForcedMajors } from '../release-plan.mjs';

const fence = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`;

describe('a README installs what its examples import', () => {
  const readme =
    fence('sh', 'npm install @langevin/nn @langevin/tensor\nnpm install sharp   # only for images')
    + fence(
      'ts',
      "import { linear } from '@langevin/nn';\nimport { ones } from '@langevin/tensor/testing';\nimport { join } from 'node:path';",
    );

  test('lines and imports are read', () => {
    expect(installLines(readme).map(({ names }) => names)).toEqual([['@langevin/nn', '@langevin/tensor'], ['sharp']]);
    expect(importedPackages(readme)).toEqual(['@langevin/nn', '@langevin/tensor']);
    expect(installLines(fence('sh', 'npm install --global @langevin/cli'))).toEqual([
      { line: 'npm install --global @langevin/cli', flags: ['--global'], names: ['@langevin/cli'] },
    ]);
  });

  test('what is missing is named: an import, a peer, the whole line', () => {
    const manifest = { name: '@langevin/nn', peerDependencies: { '@langevin/tensor': 'workspace:^', typescript: '>=5.7' } };
    const optional = { ...manifest, peerDependenciesMeta: { typescript: { optional: true } } };
    expect(installFaults(readme, optional)).toEqual([]);
    expect(installFaults(readme, manifest)).toEqual(['README.md does not install typescript, which is a peer. Add it to the line.']);
    const other = readme + fence('ts', "import { heun } from '@langevin/samplers';");
    expect(installFaults(other, optional)).toEqual([
      'README.md does not install @langevin/samplers, which its examples import. Add it to the line.',
    ]);
    expect(installFaults('Nothing.', optional)).toHaveLength(1);
  });

  test('where onnxruntime-node is installed, the README says when its install script is not needed', () => {
    const text = fence('sh', 'npm install @langevin/nn onnxruntime-node');
    expect(installFaults(text, { name: '@langevin/nn' })[0]).toContain('--ignore-scripts');
    expect(installFaults(`${text}\nAdd \`--ignore-scripts\`.`, { name: '@langevin/nn' })).toEqual([]);
  });
});

describe('a manifest', () => {
  const manifest = {
    name: '@langevin/nn',
    description: 'Modules, initialisers, optimisers.',
    keywords: ['a', 'b', 'c'],
    license: 'MIT',
    homepage: 'https://github.com/langevin-js/langevin/tree/main/packages/nn#readme',
    bugs: 'https://github.com/langevin-js/langevin/issues',
    repository: { type: 'git', url: 'git+https://github.com/langevin-js/langevin.git', directory: 'packages/nn' },
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    files: ['dist', 'README.md'],
    scripts: { prepack: 'node ../../tooling/scripts/only-pnpm.mjs' },
    peerDependencies: { '@langevin/tensor': 'workspace:^', typescript: '>=5.7' },
    peerDependenciesMeta: { typescript: { optional: true } },
    devDependencies: { '@langevin/tensor': 'workspace:*' },
  };
  const faults = (changes: object): string[] =>
    manifestFaults({ folder: 'packages/nn', dir: '/nowhere', manifest: { ...manifest, ...changes } });

  test.each([
    [{}, undefined],
    [{ repository: undefined }, 'repository=undefined'],
    [{ keywords: [] }, 'keywords=[]'],
    [{ dependencies: { '@langevin/io': 'workspace:*' } }, '@langevin/io is "workspace:*"'],
    [{ dependencies: { '@langevin/tensor': 'workspace:^' } }, '@langevin/tensor is a dependency'],
    [{ devDependencies: {} }, 'not in devDependencies'],
    [{ peerDependencies: { '@langevin/tensor': 'workspace:^' }, peerDependenciesMeta: {} }, 'the oldest TypeScript is not declared'],
    [{ exports: { './node': {} } }, 'the optional peer "@types/node"'],
    [{ scripts: {} }, 'scripts.prepack=undefined'],
    [{ license: 'Apache-2.0' }, 'license=Apache-2.0'],
  ])('%j: %s', (changes, fault) => {
    if (fault === undefined) expect(faults(changes)).toEqual([]);
    else expect(faults(changes).join('\n')).toContain(fault);
  });
});

test('only pnpm packs, since others leave "workspace:^" in the manifest', () => {
  expect(packingFault('pnpm/12.21.0 npm/? node/v22.1.0 linux x64')).toBeUndefined();
  for (const agent of ['npm/11.0.0 node/v22.1.0 linux x64 workspaces/false', 'yarn/4.0.0 npm/? node/v22.1.0', undefined])
    expect(packingFault(agent)).toContain('Use "npx pnpm@');
});

test('peers of dependencies are passed on', () => {
  const members = (dependencies: object) => [
    { folder: 'packages/nn', manifest: { name: '@langevin/nn', peerDependencies: { '@langevin/tensor': 'workspace:^' } } },
    { folder: 'apps/cli', manifest: { name: '@langevin/cli', dependencies } },
  ];
  expect(passedOnFaults(members({ '@langevin/nn': 'workspace:^' }))).toEqual([
    'apps/cli/package.json: a dependency has the peer @langevin/tensor. Name it as "workspace:^" too.',
  ]);
  expect(passedOnFaults(members({ '@langevin/nn': 'workspace:^', '@langevin/tensor': 'workspace:^' }))).toEqual([]);
});

describe('versions below 1.0.0', () => {
  const plan = (type: string, oldVersion = '0.0.0') => ({
    changesets: [{ releases: [{ name: '@langevin/tensor', type }] }],
    releases: [
      { name: '@langevin/tensor', type: 'major', oldVersion, newVersion: '1.0.0' },
      { name: '@langevin/bench', type: 'none', oldVersion, newVersion: oldVersion },
    ],
  });
  const versions = (given: ReturnType<typeof plan>): string[] => withoutForcedMajors(given).releases.map(({ newVersion }) => newVersion);

  test('rise as the notes ask, not as peers force them', () => {
    expect(versions(plan('minor'))).toEqual(['0.1.0', '0.0.0']);
    expect(versions(plan('patch', '0.1.0'))).toEqual(['0.1.1', '0.1.0']);
    expect(versions(plan('minor', '0.1.4'))).toEqual(['0.2.0', '0.1.4']);
  });

  test('reach 1.0.0 when a note says so; from there changesets decides', () => {
    expect(versions(plan('major', '0.3.0'))).toEqual(['1.0.0', '0.3.0']);
    expect(
      versions({ ...plan('minor'), releases: [{ name: '@langevin/tensor', type: 'major', oldVersion: '1.2.0', newVersion: '2.0.0' }] }),
    ).toEqual(['2.0.0']);
  });
});
