import { shownValue, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { problemOf } from './schema-problem.ts';

/**
 * Parse JSON that nobody vouches for: unlike `JSON.parse` alone, an object that names a key twice is an error, because
 * two readers could then disagree about what the file says.
 *
 * @param where how messages start, for example `[io/json] "config.json"`
 * @throws {UserError} when the text is not JSON or a key occurs twice in one object
 * @example
 * parseJson('{"steps": 20}', '[example]') // => { steps: 20 }
 */
export function parseJson(text: string, where: string): unknown {
  if (typeof text !== 'string') throw new UserError(`${where} is no text: text=${shownValue(text)}. Pass what the file holds.`);
  return parsed(text, { where });
}

interface Reading {
  readonly where: string;
  readonly revive?: (key: string, value: unknown) => unknown;
}

function parsed(text: string, { where, revive }: Reading): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text, revive);
  } catch (cause) {
    throw new UserError(`${where} is not valid JSON: ${(cause as Error).message}. Check that the file is whole.`, { cause });
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== null) {
    throw new UserError(`${where} names the key ${JSON.stringify(duplicate)} twice in one object. Remove one of them.`);
  }
  return value;
}

/**
 * Parse JSON as Python's json module writes it, whose numbers may be `NaN`, `Infinity` and `-Infinity`: configurations that diffusers and
 * transformers save hold them. Everything else is as strict as {@link parseJson}.
 *
 * @param where how messages start, for example `[io/json] "scheduler_config.json"`
 * @throws {UserError} when the text is not JSON but for these numbers, or a key occurs twice in one object
 * @example
 * parsePythonJson('{"lambda_min_clipped": -Infinity}', '[example]') // => { lambda_min_clipped: -Infinity }
 */
export function parsePythonJson(text: string, where: string): unknown {
  if (!/NaN|Infinity/u.test(text)) return parseJson(text, where);
  // JSON has numbers too large to be finite, but none for NaN: it goes through as a text that is nowhere else in the file.
  let mark = 'NaN';
  while (text.includes(JSON.stringify(mark))) mark += '_';
  const json = text.replace(PYTHON_NUMBERS, (found: string, number: string | undefined) => {
    if (number === undefined) return found;
    return number === 'NaN' ? JSON.stringify(mark) : number.replace('Infinity', '1e999');
  });
  return parsed(json, { where, revive: (_, value) => (value === mark ? Number.NaN : value) });
}

/** A string, which is passed over, or a number of Python's that stands by itself. */
const PYTHON_NUMBERS = /"(?:\\.|[^"\\])*"|(?<![\w.+-])(NaN|-?Infinity)(?![\w.+-])/gsu;

/** Check a value against a schema and report every problem with its path. */
export function parseWith<const Schema extends v.GenericSchema>(schema: Schema, value: unknown, where: string): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const problems = result.issues.slice(0, 5).map((issue) => problemOf(schema, issue));
  throw new UserError(`${where} has the wrong form: ${problems.join('; ')}. Correct these entries.`);
}

/** The first key that occurs twice in one object of a text known to be valid JSON, or null. */
function findDuplicateKey(text: string): string | null {
  const open: (Set<string> | null)[] = []; // null stands for an array
  for (let i = 0; i < text.length; i++) {
    switch (text.charAt(i)) {
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(null);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const end = endOfString(text, i);
        const keys = open.at(-1);
        if (keys && isFollowedByColon(text, end)) {
          // Escapes matter: "a" and "\u0061" are the same key.
          const key = JSON.parse(text.slice(i, end)) as string;
          if (keys.has(key)) return key;
          keys.add(key);
        }
        i = end - 1;
        break;
      }
    }
  }
  return null;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

function isFollowedByColon(text: string, from: number): boolean {
  let i = from;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return text[i] === ':';
}
