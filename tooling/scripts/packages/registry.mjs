// A registry of packages on this machine alone: what npm and pnpm install from while the packed packages are tried out. It offers the
// packages of this workspace as they would be published, and of everything else what the workspace has installed: no network is needed.
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readJson, root } from '../lib.mjs';

const STORE = join(root, 'node_modules/.pnpm');
const CACHE = join(root, 'node_modules/.langevin/registry');
/** Nobody loads these here: maps of sources, and what was built for other machines. */
const LEFT_OUT = [
  /\.map$/u,
  new RegExp(`(?:^|/)(?:${['darwin', 'linux', 'win32'].filter((name) => name !== process.platform).join('|')})/`, 'u'),
  new RegExp(`(?:^|/)${process.platform}/(?:${['arm64', 'x64'].filter((name) => name !== process.arch).join('|')})/`, 'u'),
];

/**
 * @returns {Promise<{ url: string, publish: (manifest: object, tarball: string) => void, close: () => void }>} `publish` offers a version;
 *   the newest one published is "latest"
 */
export async function startRegistry() {
  const offered = new Map();
  const installed = installedPackages();
  const publish = (manifest, tarball) => {
    const versions = offered.get(manifest.name) ?? offered.set(manifest.name, new Map()).get(manifest.name);
    versions.set(manifest.version, { manifest, tarball: async () => tarball });
  };
  const versionsOf = (name) => offered.get(name) ?? installed.get(name);

  const answer = async (request, response) => {
    const [name, version] = decodeURIComponent(request.url.slice(1)).split('/-/');
    const versions = versionsOf(name);
    if (request.method !== 'GET' || versions === undefined) return void response.writeHead(404).end('{"error":"not found"}');
    if (version !== undefined) {
      const bytes = readFileSync(await versions.get(basename(version, '.tgz')).tarball());
      return void response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length }).end(bytes);
    }
    const entries = [...versions].map(([each, { manifest }]) => [each, described(manifest, url)]);
    const document = { name, 'dist-tags': { latest: entries.at(-1)[0] }, versions: Object.fromEntries(entries) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(JSON.stringify({ error: String(error) })));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, publish, close: () => server.close() };

  /** Optional dependencies for other machines are not installed here and would not be found. */
  function described(manifest, home) {
    const optionalDependencies = Object.fromEntries(
      Object.entries(manifest.optionalDependencies ?? {}).filter(([name]) => versionsOf(name) !== undefined),
    );
    return { ...manifest, optionalDependencies, dist: { tarball: `${home}/${manifest.name}/-/${manifest.version}.tgz` } };
  }
}

/** name -> version -> manifest and tarball, for what pnpm has put into the workspace's store. */
function installedPackages() {
  const found = new Map();
  for (const entry of readdirSync(STORE)) {
    const modules = join(STORE, entry, 'node_modules');
    if (!existsSync(modules)) continue;
    for (const folder of packageFolders(modules)) {
      if (lstatSync(folder).isSymbolicLink()) continue;
      const manifest = readJson(join(folder, 'package.json'));
      const versions = found.get(manifest.name) ?? found.set(manifest.name, new Map()).get(manifest.name);
      if (!versions.has(manifest.version)) versions.set(manifest.version, { manifest, tarball: () => packed(folder, manifest) });
    }
  }
  return found;
}

function packageFolders(modules) {
  return readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => join(modules, name, inner)) : [join(modules, name)],
  );
}

const packing = new Map();

/** A tarball of an installed folder, made once and kept. */
function packed(folder, { name, version }) {
  const target = join(CACHE, `${name.replace('/', '+')}-${version}.tgz`);
  if (!packing.has(target)) packing.set(target, existsSync(target) ? Promise.resolve(target) : pack(folder, target));
  return packing.get(target);
}

/**
 * Stored, not compressed: it is read again on this machine at once. Written here, since what tar makes of pnpm's hard links, pnpm does not
 * read.
 */
export async function pack(folder, target) {
  mkdirSync(dirname(target), { recursive: true });
  const parts = [];
  for (const path of readdirSync(folder, { recursive: true }).map(String)) {
    if (LEFT_OUT.some((pattern) => pattern.test(path.replaceAll('\\', '/')))) continue;
    const stat = statSync(join(folder, path));
    if (!stat.isFile()) continue;
    const bytes = readFileSync(join(folder, path));
    const name = `package/${path.replaceAll('\\', '/')}`;
    if (Buffer.byteLength(name) > 100)
      parts.push(header('././@LongLink', Buffer.byteLength(name) + 1, 'L'), padded(Buffer.from(`${name}\0`)));
    parts.push(header(name.slice(0, 100), bytes.length, '0', stat.mode), padded(bytes));
  }
  const temporary = `${target}.${process.pid}.tmp`;
  writeFileSync(temporary, gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]), { level: 0 }));
  renameSync(temporary, target);
  return target;
}

/** A block of the tar format that announces a file. */
function header(name, size, type, mode = 0o644) {
  const block = Buffer.alloc(512);
  const octal = (value, at, width) => block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
  block.write(name, 0, 100);
  octal(mode & 0o777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.fill(' ', 148, 156);
  block.write(type, 156);
  block.write('ustar\0' + '00', 257);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}

const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
