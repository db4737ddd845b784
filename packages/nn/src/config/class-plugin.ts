import { didYouMean, shownValue, UnsupportedError, UserError } from '@langevin/tensor';
import type { WeightRules } from '../weight-rules.ts';

/** A class of modules that is made from JSON configurations, as a part that is found by name: what families of networks have in common. */
export interface ClassPlugin<Made> {
  /** Lower case with dashes: `unet2d`. */
  readonly name: string;
  /** The class that configurations name: `UNet2DModel`. */
  readonly className: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** What files of its weights spell otherwise: for {@link fitWeights}. @default the names of its parameters, all of them */
  readonly rules?: WeightRules;
  /** @throws UserError or UnsupportedError naming the entry that is wrong */
  readonly parse: (config: unknown) => Made;
}

/**
 * A plugin as a frozen value.
 *
 * @param where "package/part", as errors begin
 * @throws UserError when its name or class is not well-formed
 */
export function defineClass<P extends Pick<ClassPlugin<unknown>, 'name' | 'className'>>(where: string, plugin: P): P {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u.test(plugin.name) || !/^[A-Za-z]\w*$/u.test(plugin.className)) {
    throw new UserError(
      `[${where}] names are not well-formed: name="${plugin.name}", className="${plugin.className}". Use lower case with dashes for one, `
        + 'an identifier for the other.',
    );
  }
  return Object.freeze({ ...plugin });
}

export interface FindClassOptions<P> {
  readonly plugins: readonly P[];
  /** "package/part", as errors begin. */
  readonly where: string;
  /** What is looked for, in the singular: "backbone". */
  readonly kind: string;
}

/**
 * The plugin of a name or class.
 *
 * @throws UserError for what is no name; UnsupportedError when there is none of it, with the closest one
 */
export function findClass<P extends Pick<ClassPlugin<unknown>, 'name' | 'className'>>(
  name: string,
  { plugins, where, kind }: FindClassOptions<P>,
): P {
  if (typeof name !== 'string') throw new UserError(`[${where}] name is no text: name=${shownValue(name)}. Pass a name.`);
  const found = plugins.find((plugin) => plugin.name === name || plugin.className === name);
  if (found) return found;
  const names = plugins.map((plugin) => plugin.name).sort();
  const suggestion = didYouMean(name, [...names, ...plugins.map((plugin) => plugin.className)]);
  throw new UnsupportedError(
    `[${where}] ${kind} is not supported: name=${JSON.stringify(name.slice(0, 80))}.${suggestion} Known: ${names.join(', ')}.`,
  );
}

/**
 * The class that a parsed `config.json` of diffusers names.
 *
 * @throws UserError when it names none
 */
export function classNamed(
  config: unknown,
  { plugins, where }: Pick<FindClassOptions<Pick<ClassPlugin<unknown>, 'className'>>, 'plugins' | 'where'>,
): string {
  const name = typeof config === 'object' && config !== null && '_class_name' in config ? config._class_name : undefined;
  if (typeof name === 'string') return name;
  throw new UserError(
    `[${where}] configuration does not say its class: _class_name=${name === undefined ? 'nothing' : shownValue(name)}. Known: `
      + `${plugins.map((plugin) => plugin.className).join(', ')}.`,
  );
}
