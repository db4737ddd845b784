import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { spacings, type Factory, type Registry, type Spacing } from '@langevin/core-schedules';
import { samplers, type Sampler } from '@langevin/samplers';
import { UserError } from '@langevin/tensor';

/** Everything that a plugin can add to. */
export interface Registries {
  readonly samplers: Registry<Sampler>;
  readonly spacings: Registry<Spacing>;
}

/**
 * The registries with what plugins add: a plugin is a module with a named export `samplers` or `spacings`, an object of factories by name.
 *
 * @throws UserError when a file cannot be imported, exports nothing of the kind, or takes a name that exists
 */
export async function loadPlugins(files: readonly string[]): Promise<Registries> {
  let registries: Registries = { samplers, spacings };
  for (const file of files) {
    const module = await importPlugin(file);
    const added = { samplers: factories<Sampler>(module['samplers']), spacings: factories<Spacing>(module['spacings']) };
    if (!added.samplers && !added.spacings) {
      throw new UserError(
        `[cli/plugin] plugin adds nothing: file=${file}, exports=[${Object.keys(module).join(', ')}]. Export an object of `
          + 'factories: export const samplers = { mine: () => defineSampler({ ... }) }.',
      );
    }
    registries = {
      samplers: added.samplers ? registries.samplers.with(added.samplers) : registries.samplers,
      spacings: added.spacings ? registries.spacings.with(added.spacings) : registries.spacings,
    };
  }
  return registries;
}

async function importPlugin(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new UserError(
      `[cli/plugin] plugin cannot be loaded: file=${file}, ${cause instanceof Error ? cause.message : String(cause)}. Give a `
        + 'JavaScript module.',
      { cause },
    );
  }
}

function factories<V>(value: unknown): Readonly<Record<string, Factory<V>>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Object.values(value);
  return entries.length > 0 && entries.every((entry) => typeof entry === 'function')
    ? (value as Readonly<Record<string, Factory<V>>>)
    : undefined;
}
