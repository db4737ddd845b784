import { shownValue, UnsupportedError, UserError } from '@langevin/tensor';
import { isPlainObject } from '../checkpoint/plain-object.ts';

const WHERE = 'pipelines/adapters';

/** The rank and the alpha of a module, where settings of PEFT say them. */
export interface ModuleSettings {
  readonly rank: number | undefined;
  readonly alpha: number | undefined;
  /** What the rank divides alpha by: itself, or its root (rank-stabilised; Kalajdzievski 2023, arXiv:2312.03732). */
  readonly divisor: 'rank' | 'root';
}

/** Settings of PEFT: `adapter_config.json`, or the note that diffusers puts into a file. */
export interface PeftSettings {
  /** Those of a module, by its name in the file without what comes before the model's own names. */
  readonly of: (target: string, module: string) => ModuleSettings;
  /** Throws a UserError for a pattern that was meant for no module: it would go unnoticed. */
  readonly checkAllUsed: () => void;
}

/** The name of diffusers' note. */
export const PEFT_NOTE = 'lora_adapter_metadata';
const LONGEST_NOTE = 1_000_000;

/** Settings from the notes of a file; undefined where it has none. @throws UserError when the note is broken */
export function settingsOfNotes(notes: Readonly<Record<string, string>>, label: string): PeftSettings | undefined {
  const text = notes[PEFT_NOTE];
  if (text === undefined) return undefined;
  if (text.length > LONGEST_NOTE) throw broken(label, `${text.length} characters`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw broken(label, 'no JSON');
  }
  return peftSettings(parsed, label);
}

/** Settings from JSON. Names may begin with that of a component, as diffusers writes several into one note: `unet.r`. */
export function peftSettings(given: unknown, label: string): PeftSettings {
  if (!isPlainObject(given)) throw broken(label, shownValue(given));
  const fields = given;
  const field = (target: string, name: string): unknown => fields[`${target}.${name}`] ?? fields[name];
  const patterns = new Map<string, { readonly pattern: RegExp; readonly value: number; used: boolean }[]>();
  const patternsOf = (target: string, name: string): { readonly pattern: RegExp; readonly value: number; used: boolean }[] => {
    const key = Object.hasOwn(fields, `${target}.${name}`) ? `${target}.${name}` : name;
    const known = patterns.get(key);
    if (known !== undefined) return known;
    const table = fields[key] ?? {};
    if (!isPlainObject(table)) throw broken(label, `${key}=${shownValue(table)}`);
    const entries = Object.entries(table);
    const made = entries.map(([pattern, value]) => ({
      pattern: patternOf(pattern, label),
      value: positive(value, key, label),
      used: false,
    }));
    patterns.set(key, made);
    return made;
  };
  const match = (target: string, name: string, module: string): number | undefined => {
    const hit = patternsOf(target, name).find(({ pattern }) => pattern.test(module));
    if (hit === undefined) return undefined;
    hit.used = true;
    return hit.value;
  };
  const one = (target: string, names: readonly string[]): number | undefined => {
    const name = names.find((each) => field(target, each) !== undefined && field(target, each) !== null);
    return name === undefined ? undefined : positive(field(target, name), name, label);
  };
  return Object.freeze({
    of: (target: string, module: string) => ({
      rank: match(target, 'rank_pattern', module) ?? one(target, ['r']),
      alpha: match(target, 'alpha_pattern', module) ?? one(target, ['lora_alpha', 'alpha']),
      divisor: field(target, 'use_rslora') === true ? ('root' as const) : ('rank' as const),
    }),
    checkAllUsed: () => {
      for (const [key, list] of patterns) {
        const idle = list.find(({ used }) => !used);
        if (idle !== undefined)
          throw new UserError(
            `[${WHERE}] a pattern fits no module: file=${label}, ${key}=${shownValue(idle.pattern.source)}. Mend or remove it.`,
          );
      }
    },
  });
}

/**
 * A pattern as PEFT reads it: the end of a module's name, from a dot on. Only plain ones are taken, as one that comes with a file must not
 * be able to keep the program busy: names with dots, `\d+`, `.*`, and `^` or `$` at the ends.
 */
function patternOf(text: string, label: string): RegExp {
  const wild = text.match(/\\d\+|\.\*/gu)?.length ?? 0;
  if (text.length > 500 || wild > 3 || !/^\^?(?:\w|-|\\?\.|\\d\+|\.\*)+\$?$/u.test(text))
    throw new UnsupportedError(
      `[${WHERE}] pattern is not a plain one: file=${label}, pattern=${shownValue(text)}. Write the names of modules instead.`,
    );
  const body = text.replace(/^\^/u, '').replace(/\$$/u, '');
  return new RegExp(text.startsWith('^') ? `^${body}$` : `^(?:.*\\.)?${body}$`, 'u');
}

function positive(value: unknown, name: string, label: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new UserError(
    `[${WHERE}] setting is no number above 0: file=${label}, ${name}=${shownValue(value)}. The file is broken; PEFT writes numbers.`,
  );
}

function broken(label: string, what: string): UserError {
  return new UserError(
    `[${WHERE}] settings of PEFT are broken: file=${label}, ${PEFT_NOTE}=${what}. Remove the note, or save the file anew.`,
  );
}
