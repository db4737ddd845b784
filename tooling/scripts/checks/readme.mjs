// What a README tells a user to install, and whether it is enough.

const isBuiltin = (specifier) => specifier.startsWith('node:');

/** `@langevin/io/node` belongs to `@langevin/io`. */
export const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/**
 * The lines of the first ```sh fence that installs something, without comments.
 *
 * @returns {{ line: string, flags: string[], names: string[] }[]}
 */
export function installLines(readme) {
  const fence = [...readme.matchAll(/```sh\n([\s\S]*?)```/gu)].map((match) => match[1]).find((body) => /^npm install /mu.test(body)) ?? '';
  return fence
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/u, ''))
    .filter((line) => line.startsWith('npm install '))
    .map((line) => {
      const words = line.slice('npm install '.length).split(/\s+/u);
      return { line, flags: words.filter((word) => word.startsWith('-')), names: words.filter((word) => !word.startsWith('-')) };
    });
}

/** Packages that the ts examples of a README import. */
export function importedPackages(readme) {
  const fences = [...readme.matchAll(/```ts\n([\s\S]*?)```/gu)].map((match) => match[1]);
  const specifiers = fences.flatMap((code) =>
    [...code.matchAll(/(?:from\s+|import\s+|import\(|import\.meta\.resolve\()'([^'.][^']*)'/gu)].map((match) => match[1]),
  );
  return [...new Set(specifiers.filter((specifier) => !isBuiltin(specifier)).map(packageOf))].sort();
}

/** One line for each thing that a reader who follows the README would miss. */
export function installFaults(readme, manifest) {
  const lines = installLines(readme);
  if (lines.length === 0) return ['README.md has no ```sh fence with "npm install ...". Say how the package is installed.'];
  const installed = lines.flatMap(({ names }) => names);
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter((name) => manifest.peerDependenciesMeta?.[name]?.optional !== true);
  const faults = [...new Set([manifest.name, ...peers, ...importedPackages(readme)])]
    .filter((name) => !installed.includes(name))
    .map(
      (name) =>
        `README.md does not install ${name}, which ${peers.includes(name) ? 'is a peer' : 'its examples import'}. Add it to the line.`,
    );
  if ((installed.includes('onnxruntime-node') || manifest.dependencies?.['onnxruntime-node']) && !readme.includes('--ignore-scripts'))
    faults.push('README.md does not say when --ignore-scripts is enough. The install script of onnxruntime-node fetches from elsewhere.');
  return faults;
}
