import { shownValue, UserError } from '@langevin/tensor';
import { isPlainObject } from './plain-object.ts';

/** One line of a `model_index.json`: who made the class of a component; null for a component that is absent on purpose. */
export interface IndexEntry {
  readonly library: string;
  readonly className: string;
}

/** `model_index.json`: which components a pipeline has, and what it was told. */
export interface ModelIndex {
  /** The pipeline class of diffusers: `StableDiffusionPipeline`. */
  readonly className: string;
  readonly components: ReadonlyMap<string, IndexEntry | null>;
  /** Other entries, such as `force_zeros_for_empty_prompt`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Names of components become names of folders. */
const COMPONENT = /^[a-z][a-z0-9_]{0,63}$/u;
const CLASS = /^[A-Za-z_]\w{0,127}$/u;

/**
 * A parsed `model_index.json`. Nothing in it chooses code: names of classes are looked up, those of libraries are kept for messages.
 *
 * @param from the file, for messages
 * @throws UserError naming the entry that is wrong
 */
export function parseModelIndex(json: unknown, from: string): ModelIndex {
  const fail = (key: string, value: unknown, expected: string): never => {
    throw new UserError(`[pipelines/checkpoint] entry is not valid: file=${from}, ${key}=${shownValue(value)}. Give ${expected}.`);
  };
  if (!isPlainObject(json)) return fail('content', json, 'an object, as diffusers saves it');
  const className = json['_class_name'];
  if (typeof className !== 'string' || !CLASS.test(className)) return fail('_class_name', className, 'the name of a pipeline class');
  const components = new Map<string, IndexEntry | null>();
  const settings: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    if (key.startsWith('_')) continue;
    // Some settings are lists as well; those of components are two names, or two nulls.
    if (!Array.isArray(value) || value.length !== 2 || !value.every((part) => part === null || typeof part === 'string')) {
      settings[key] = value;
      continue;
    }
    if (!COMPONENT.test(key)) return fail('component', key, 'a name of letters, digits and underscores');
    const [library, name] = value as readonly (string | null)[];
    if (library === null || name === null) components.set(key, null);
    else if (!CLASS.test(name!)) return fail(key, name, 'the name of a class');
    else components.set(key, Object.freeze({ library: library!, className: name! }));
  }
  return Object.freeze({ className, components, settings: Object.freeze(settings) });
}
