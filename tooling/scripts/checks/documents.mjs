// Documents link to files that exist; what a package ships links out of itself only by absolute addresses.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { REPOSITORY, root } from '../lib.mjs';

const ADDRESS = new RegExp(`^${REPOSITORY.replaceAll('.', '\\.')}/(?:blob|tree|raw)/main/([^#?]*)`, 'u');

/** Where each link of a document leads: relative ones, and those to this repository, are paths of the checkout. */
function linksOf(path) {
  const text = readFileSync(join(root, path), 'utf8')
    .replaceAll(/```[\s\S]*?```/gu, '')
    .replaceAll(/`[^`\n]*`/gu, '');
  return [...text.matchAll(/\]\(([^()\s]+)(?:\s"[^"]*")?\)/gu)].map((match) => match[1]);
}

/** @param {string[]} shipped folders that are published, whose README stands alone on the registry's page */
export function linkFaults(shipped) {
  return documents().flatMap((path) => {
    const home = shipped.find((folder) => path === `${folder}/README.md`);
    return linksOf(path).flatMap((link) => {
      const ours = ADDRESS.exec(link);
      if (ours !== null) return existsSync(join(root, decodeURI(ours[1]))) ? [] : [`${path}: links to ${link}, which does not exist.`];
      if (/^(?:[a-z]+:|#)/iu.test(link)) return [];
      const target = resolve(root, dirname(path), decodeURI(link.split('#')[0]));
      if (!existsSync(target)) return [`${path}: links to ${link}, which does not exist.`];
      if (home !== undefined && !target.startsWith(join(root, home) + sep))
        return [
          `${path}: ${link} leaves the package, and leads nowhere on the registry's page. Write ${REPOSITORY}/blob/main/... in full.`,
        ];
      return [];
    });
  });
}

/** The map of the documents names every document, and every folder of every package in that package's row. */
export function mapFaults(packages) {
  const path = 'docs/README.md';
  const map = readFileSync(join(root, path), 'utf8');
  const unnamed = documents()
    .filter((file) => /^docs\/(?:decisions\/)?[^/]+\.md$/u.test(file) && file !== path)
    .filter((file) => !map.includes(`](${file.slice('docs/'.length)})`))
    .map((file) => `${path}: does not link to ${file}. Say there what it is about.`);
  const folders = packages.flatMap(({ folder, dir }) => {
    const row = map.split('\n').find((line) => line.startsWith('|') && line.includes(`](../${folder}/README.md)`));
    if (row === undefined) return [`${path}: has no row for ${folder}. Say there what its folders are.`];
    return readdirSync(join(dir, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !row.includes(`\`${entry.name}/\``))
      .map(({ name }) => `${path}: the row of ${folder} does not name src/${name}/. Say there what it holds.`);
  });
  return [...unnamed, ...folders];
}

/** Markdown files that git knows or would add; without git (an unpacked archive), those outside installed and built folders. */
function documents() {
  try {
    const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.md'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return list.split('\n').filter((path) => path !== '' && existsSync(join(root, path)));
  } catch {
    return readdirSync(root, { recursive: true })
      .map(String)
      .filter(
        (path) => path.endsWith('.md') && !/(?:^|[\\/])(?:node_modules|dist|\.git)[\\/]/u.test(path) && statSync(join(root, path)).isFile(),
      );
  }
}
