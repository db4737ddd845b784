// `npm run next-version`: gives all packages the next version that the notes in .changeset ask for, and writes the notes into their
// changelogs. It is `changeset version` but for one thing, see release-plan.mjs.
import { createRequire } from 'node:module';
import { root } from './lib.mjs';
import { withoutForcedMajors } from './release-plan.mjs';

// CommonJS, whose default export is a property.
const require = createRequire(import.meta.url);
const { default: getReleasePlan } = require('@changesets/get-release-plan');
const { default: applyReleasePlan } = require('@changesets/apply-release-plan');
const { read } = require('@changesets/config');
const { getPackages } = require('@manypkg/get-packages');

const packages = await getPackages(root);
const plan = withoutForcedMajors(await getReleasePlan(root));
for (const { name, oldVersion, newVersion } of plan.releases)
  if (oldVersion !== newVersion) console.log(`${name} ${oldVersion} -> ${newVersion}`);
if (process.argv.includes('--dry-run')) process.exit(0);
await applyReleasePlan(plan, packages, await read(root, packages));
console.log('Now bring the lockfile up to date: npx pnpm@12.21.0 install --ignore-scripts.');
