/**
 * Which package may import which: the one place where the direction of imports is written down.
 *
 * Lint checks every import statement against it and `check-skeleton` every package.json, so the
 * diagram in the root README cannot drift from the code. Imports go down this list only; inside a
 * layer only what `WITHIN_LAYER` names is allowed.
 */
export const LAYERS = [
  { name: 'apps', members: ['cli', 'demo', 'bench', 'examples'] },
  { name: 'assembly', members: ['pipelines'] },
  { name: 'recipes', members: ['diffusion', 'distillation', 'video', 'score-distillation', 'baselines'] },
  { name: 'parts', members: ['samplers', 'guidance', 'backbones', 'encoders', 'latent-ae', 'gaussians', 'metrics'] },
  { name: 'loop', members: ['training'] },
  { name: 'contract', members: ['core', 'core-schedules'] },
  { name: 'base', members: ['nn', 'io', 'tensor'] },
];

/** Engines implement tensor's interface and are chosen by whoever assembles a program, so no recipe or part names one. */
export const ENGINES = ['engine-onnxruntime', 'engine-tfjs'];

/** Packages of the same layer that may be imported. */
const WITHIN_LAYER = { nn: ['tensor'], io: ['tensor'], 'core-schedules': ['core'] };

/** Imports that point downwards and are forbidden all the same. */
const NEVER = { 'score-distillation': ['gaussians'] };

/** Layers whose sources may name an engine. */
const ASSEMBLES = ['apps', 'assembly'];

/** Runtimes that only engines (and the benchmark, which measures them as peers) may import. */
export const ENGINE_RUNTIME = /^(?:onnxruntime-|@tensorflow\/)/u;
const RUNTIME_USERS = [...ENGINES, 'bench'];

const layerOf = (member) => LAYERS.findIndex((layer) => layer.members.includes(member));

/**
 * Decides whether `from` may import `to`; both are names without the `@langevin/` scope.
 *
 * @param {string} from
 * @param {string} to
 * @param {{ test?: boolean }} [where] tests may also run on an engine, except those of `tensor`, on which engines stand
 * @returns {string | undefined} the reason why not; undefined when the import is allowed
 */
export function whyForbidden(from, to, where = {}) {
  if (from === to) return undefined;
  if (ENGINES.includes(from)) {
    return to === 'tensor' ? undefined : `an engine implements tensor's interface and imports nothing but tensor`;
  }
  const fromLayer = layerOf(from);
  if (fromLayer < 0) return `${from} has no layer; give it one in tooling/eslint-config/src/layers.js`;
  if (ENGINES.includes(to)) {
    if (from === 'tensor') return 'engines stand on tensor, so tensor cannot stand on them';
    if (where.test === true || ASSEMBLES.includes(LAYERS[fromLayer].name)) return undefined;
    return 'only apps, pipelines and tests choose an engine; take one as an argument';
  }
  const toLayer = layerOf(to);
  if (toLayer < 0) return `${to} has no layer; give it one in tooling/eslint-config/src/layers.js`;
  if (NEVER[from]?.includes(to)) return `${from} receives what ${to} makes as an argument`;
  if (toLayer > fromLayer || WITHIN_LAYER[from]?.includes(to)) return undefined;
  return toLayer === fromLayer
    ? `both are in the layer "${LAYERS[fromLayer].name}", whose members do not import each other`
    : `"${LAYERS[fromLayer].name}" is below "${LAYERS[toLayer].name}"`;
}

/**
 * Imports only; which manifest may name a runtime is findDependencyFaults' business.
 *
 * @param {string} from package name without scope
 * @param {string} specifier bare module name
 * @returns {string | undefined} the reason why not; undefined when the import is allowed
 */
export function whyRuntimeForbidden(from, specifier) {
  if (!ENGINE_RUNTIME.test(specifier) || RUNTIME_USERS.includes(from)) return undefined;
  return `${specifier} belongs to the engine packages`;
}

/** The member that a file belongs to ("samplers" for packages/samplers/src/x.ts), or undefined outside packages, apps and examples. */
export function memberOf(path) {
  const parts = path.split(/[\\/]/u);
  for (let i = parts.length - 1; i >= 0; i -= 1) {
    if ((parts[i] === 'packages' || parts[i] === 'apps') && parts[i + 1] !== undefined && i + 2 < parts.length) return parts[i + 1];
    if (parts[i] === 'examples' && i + 2 === parts.length) return 'examples';
  }
  return undefined;
}

/**
 * Checks the dependencies of all manifests: each obeys the direction, and no cycle exists even
 * through development dependencies (a build order must exist).
 *
 * @param {{ name: string, dependencies?: object, peerDependencies?: object, devDependencies?: object }[]} manifests
 * @returns {string[]} one line for each fault; empty when all is well
 */
export function findDependencyFaults(manifests) {
  const faults = [];
  const short = (name) => name.replace('@langevin/', '');
  const members = new Set(manifests.map((manifest) => short(manifest.name)));
  const edges = new Map();
  for (const manifest of manifests) {
    const from = short(manifest.name);
    const all = [];
    for (const field of ['dependencies', 'peerDependencies', 'devDependencies']) {
      const test = field === 'devDependencies';
      // Engines take their runtimes as optional peers: whoever assembles a program installs them, and so may tests.
      const mayInstall = test || ASSEMBLES.includes(LAYERS[layerOf(from)]?.name);
      for (const name of Object.keys(manifest[field] ?? {})) {
        const runtime = mayInstall ? undefined : whyRuntimeForbidden(from, name);
        if (runtime !== undefined) faults.push(`${manifest.name}: ${field} names ${name}: ${runtime}.`);
        if (!name.startsWith('@langevin/') || !members.has(short(name))) continue;
        all.push(short(name));
        const reason = whyForbidden(from, short(name), { test });
        if (reason !== undefined) faults.push(`${manifest.name}: ${field} names ${name}: ${reason}.`);
      }
    }
    edges.set(from, all);
  }
  const cycle = findCycle(edges);
  if (cycle !== undefined) faults.push(`the packages depend on each other in a circle: ${cycle.join(' -> ')}.`);
  return faults;
}

function findCycle(edges) {
  const done = new Set();
  const visit = (name, path) => {
    const at = path.indexOf(name);
    if (at >= 0) return [...path.slice(at), name];
    if (done.has(name)) return undefined;
    for (const next of edges.get(name) ?? []) {
      const cycle = visit(next, [...path, name]);
      if (cycle !== undefined) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of edges.keys()) {
    const cycle = visit(name, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
