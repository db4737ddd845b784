import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Below node_modules, so that bundles find the packages that stay outside of them. */
const outRoot = `${root}node_modules/.langevin-test`;

/** Compile sources for a process or a page of their own. @returns the folder of the output */
export async function bundle(name: string, platform: 'node' | 'browser', entryPoints: Readonly<Record<string, string>>): Promise<string> {
  const outdir = `${outRoot}/${name}`;
  await mkdir(outdir, { recursive: true });
  await build({
    entryPoints: Object.fromEntries(Object.entries(entryPoints).map(([out, path]) => [out, root + path])),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform,
    target: platform === 'node' ? 'node20' : 'chrome120',
    conditions: ['@langevin/source'],
    external: platform === 'node' ? ['onnxruntime-node', 'onnxruntime-web', 'protobufjs', 'vitest'] : ['vitest', 'node:*'],
    logLevel: 'warning',
  });
  return outdir;
}
