import type { Factory, Registry, Sampler } from '@langevin/core';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { backbonePlugins, type BackbonePlugin } from '@langevin/backbones';
import { processes, spacings, type NoiseProcess, type Spacing } from '@langevin/core-schedules';
import type { DataPlugin } from '@langevin/io';
import { dataPlugins } from '@langevin/io/node';
import { samplers } from '@langevin/samplers';
import { UserError } from '@langevin/tensor';
import { resolve as resolvePackage } from 'import-meta-resolve';
import { guardBackbone, guardData, guarded, guardFactory, guardSampler, guardSpacing } from './plugin-guard.ts';

/** Everything that a plugin can add to. */
export interface Registries {
  readonly samplers: Registry<Sampler>;
  readonly spacings: Registry<Spacing>;
  readonly processes: Registry<NoiseProcess>;
  readonly data: readonly DataPlugin<never>[];
  readonly backbones: readonly BackbonePlugin[];
}

/** What --plugin takes, for help texts. */
export const PLUGIN_HELP = `A plugin is a JavaScript module, a file or the name of an installed package, with one or more of these
named exports: samplers, spacings and processes are objects of factories by name; data and backbones are lists of what
defineData() and defineBackbone() give:
  export const samplers = { mine: declareOptions(({ strength = 1 } = {}) => defineSampler({ ... }), ['strength']) };`;

/**
 * The registries with what plugins add.
 *
 * @param names files, or packages that are installed where the command runs
 * @throws UserError when one cannot be imported, exports nothing of the kind, or takes a name that exists
 */
export async function loadPlugins(names: readonly string[]): Promise<Registries> {
  let registries: Registries = { samplers, spacings, processes, data: dataPlugins, backbones: backbonePlugins };
  for (const plugin of names) registries = taken(registries, { plugin, module: await importPlugin(plugin) });
  return registries;
}

/** Looking at exports may run a plugin's code: getters, proxies. */
function taken(to: Registries, imported: Imported): Registries {
  return guarded({ plugin: imported.plugin, part: 'its exports' }, () => added(to, imported));
}

interface Imported {
  readonly plugin: string;
  readonly module: Readonly<Record<string, unknown>>;
}

function added(to: Registries, { plugin, module }: Imported): Registries {
  const families = ['samplers', 'spacings', 'processes', 'data', 'backbones'] as const;
  if (!families.some((family) => module[family] !== undefined))
    throw new UserError(
      `[cli/plugin] plugin adds nothing: plugin=${plugin}, exports=[${Object.keys(module).join(', ')}]. Export one or more of `
        + `${families.join(', ')}; "langevin sample --help" shows how.`,
    );
  const registry = <V>(
    name: 'samplers' | 'spacings' | 'processes',
    { before, guard }: { before: Registry<V>; guard: (made: V) => V },
  ): Registry<V> => {
    const entries = module[name];
    if (entries === undefined) return before;
    if (typeof entries !== 'object' || entries === null || !Object.values(entries).every((entry) => typeof entry === 'function'))
      throw wrong(plugin, name, 'an object of factories by name: { mine: () => ... }');
    return before.with(
      Object.fromEntries(
        Object.entries(entries as Readonly<Record<string, Factory<V>>>).map(([key, make]) => [
          key,
          guardFactory(make, { blame: { plugin, part: `${before.kind} "${key}"` }, guard }),
        ]),
      ),
    );
  };
  const list = <V extends { readonly name: string }>(
    name: 'data' | 'backbones',
    { before, guard }: { before: readonly V[]; guard: (entry: V) => V },
  ): readonly V[] => {
    const entries = module[name];
    if (entries === undefined) return before;
    if (!Array.isArray(entries) || !entries.every(isNamed)) throw wrong(plugin, name, `a list of what ${DEFINERS[name]}() gives`);
    const taken = (entries as readonly V[]).find((entry) => before.some((known) => known.name === entry.name));
    if (taken) throw new UserError(`[cli/plugin] the name is taken: plugin=${plugin}, ${name}="${taken.name}". Choose another.`);
    return [...before, ...(entries as readonly V[]).map(guard)];
  };
  const blame = (part: string) => ({ plugin, part });
  return {
    samplers: registry('samplers', { before: to.samplers, guard: (sampler) => guardSampler(sampler, plugin) }),
    spacings: registry('spacings', { before: to.spacings, guard: (spacing) => guardSpacing(spacing, plugin) }),
    processes: registry('processes', { before: to.processes, guard: (process) => process }),
    data: list('data', { before: to.data, guard: (entry) => guardData(entry, blame(`data set "${entry.name}"`)) }),
    backbones: list('backbones', { before: to.backbones, guard: (entry) => guardBackbone(entry, blame(`backbone "${entry.name}"`)) }),
  };
}

const DEFINERS = { data: 'defineData', backbones: 'defineBackbone' } as const;

function isNamed(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'name' in entry && typeof entry.name === 'string';
}

function wrong(plugin: string, name: string, wanted: string): UserError {
  return new UserError(`[cli/plugin] export is of another kind: plugin=${plugin}, export=${name}. Make it ${wanted}.`);
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
