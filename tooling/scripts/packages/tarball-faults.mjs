// What publint (strict) and arethetypeswrong (ES modules only) say about a tarball, and what must be in it.
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemAffectsResolutionKind } from '@arethetypeswrong/core/problems';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** Ways to resolve that packages of ES modules are not for: CommonJS, and the rules of before Node knew "exports". */
const RESOLUTIONS = ['node16-esm', 'bundler'];

export async function tarballFaults({ folder, manifest, tarball, contents }) {
  const bytes = readFileSync(tarball);
  const found = [...contentFaults(manifest, contents), ...(await publintFaults(bytes)), ...(await typeFaults(manifest, bytes))];
  return found.map((fault) => `${folder}: ${fault}`);
}

function contentFaults(manifest, contents) {
  const missing = ['LICENSE', 'README.md'].filter((file) => !existsSync(join(contents, file))).map((file) => `the tarball has no ${file}.`);
  const ranges = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies });
  const exact = ranges.filter(([name, range]) => name.startsWith('@langevin/') && !range.startsWith('^'));
  return [...missing, ...exact.map(([name, range]) => `the tarball wants exactly ${name}@${range}. Write "workspace:^".`)];
}

async function publintFaults(bytes) {
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ strict: true, pack: { tarball } });
  return messages
    .filter((message) => message.type !== 'suggestion')
    .map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function typeFaults({ exports }, bytes) {
  const entrypoints = Object.entries(exports ?? {})
    .filter(([entry, target]) => target !== null && entry !== './package.json' && !entry.includes('*'))
    .map(([entry]) => entry);
  if (entrypoints.length === 0) return [];
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)), { entrypoints });
  if (result.types === false) return ['attw: the package has no types.'];
  return result.problems
    .filter((problem) => RESOLUTIONS.some((kind) => problemAffectsResolutionKind(problem, kind, result)))
    .map((problem) => `attw: ${problem.kind}: ${JSON.stringify(problem)}`);
}
