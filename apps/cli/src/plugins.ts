import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UserError } from '@langevin/tensor';
import { resolve as resolvePackage } from 'import-meta-resolve';
import { builtIn, families, familyNames, type Registries } from './families.ts';
import { guarded } from './plugin-guard.ts';

/** What --plugin takes, for help texts. */
export const PLUGIN_HELP = `A plugin is a JavaScript module, a file or the name of an installed package, that exports one or more of
${familyNames.join(', ')}.
Each is an object of factories by name, or a list of what define...() gives; docs/decisions/0020-plugins.md says which:
  export const samplers = { mine: declareOptions(({ strength = 1 } = {}) => defineSampler({ ... }), ['strength']) };
  export const data = [defineData({ ... })];`;

/**
 * The registries with what plugins add.
 *
 * @param names files, or packages that are installed where the command runs
 * @param from what is there without them. @default what comes with the packages
 * @throws UserError when one cannot be imported, exports nothing of the kind, or takes a name that exists
 */
export async function loadPlugins(names: readonly string[], from: Registries = builtIn): Promise<Registries> {
  let registries = from;
  for (const plugin of [...new Set(names)]) {
    const module = await importPlugin(plugin);
    // Looking at exports may run a plugin's code: getters, proxies.
    registries = guarded({ plugin, part: 'its exports' }, () => added(registries, { plugin, module }));
  }
  return registries;
}

/** The plugins that a command line names, wherever it names them. */
export function pluginsOf(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  return own.flatMap((arg, i) => {
    if (arg.startsWith('--plugin=')) return [arg.slice('--plugin='.length)];
    const next = own[i + 1];
    return arg === '--plugin' && next !== undefined ? [next] : [];
  });
}

interface Imported {
  readonly plugin: string;
  readonly module: Readonly<Record<string, unknown>>;
}

function added(to: Registries, { plugin, module }: Imported): Registries {
  const given = familyNames.filter((name) => module[name] !== undefined);
  if (given.length === 0)
    throw new UserError(
      `[cli/plugin] plugin adds nothing: plugin=${plugin}, exports=[${Object.keys(module).join(', ')}]. Export one or more of `
        + `${familyNames.join(', ')}; "langevin sample --help" shows how.`,
    );
  const more = given.map((name) => [name, extended(name, { to, plugin, exported: module[name] })] as const);
  return Object.freeze({ ...to, ...Object.fromEntries(more) });
}

/** A family's own type of what it knows goes in and comes out. */
function extended<Name extends keyof Registries>(
  name: Name,
  { to, plugin, exported }: { readonly to: Registries; readonly plugin: string; readonly exported: unknown },
): Registries[Name] {
  const family = families[name] as unknown as {
    readonly takes: string;
    readonly with: (known: Registries[Name], exported: unknown, plugin: string) => Registries[Name] | undefined;
  };
  const result = family.with(to[name], exported, plugin);
  if (result !== undefined) return result;
  throw new UserError(`[cli/plugin] export is of another kind: plugin=${plugin}, export=${name}. Make it ${family.takes}.`);
}

async function importPlugin(plugin: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(locate(plugin))) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // Node says who imports what it cannot find: where that is not this file, the plugin itself was found.
    const importer = /^Cannot find (?:package|module) .* imported from (.*\.[cm]?js)$/u.exec(message)?.[1];
    const advice =
      importer !== undefined && importer !== fileURLToPath(import.meta.url)
        ? 'Install what the plugin imports where the plugin is, with npm install.'
        : 'Give a JavaScript module: a file, or a package that is installed here.';
    throw new UserError(`[cli/plugin] plugin cannot be loaded: plugin=${plugin}, ${message}. ${advice}`, { cause });
  }
}

/** A path where it looks like one or leads to something; else a package, looked for from where the command runs. */
function locate(plugin: string): string {
  const isPath = /^[./\\]|^[a-z]:[/\\]|\.[cm]?[jt]s$/iu.test(plugin) || existsSync(plugin);
  return isPath ? pathToFileURL(resolve(plugin)).href : resolvePackage(plugin, pathToFileURL(join(process.cwd(), 'package.json')).href);
}
