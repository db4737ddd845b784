import { UserError } from '../errors.ts';
import { decodeBase64 } from './base64.ts';
import { checkStream, PhiloxCounterGenerator } from './counter-generator.ts';
import type { Generator } from './generator.ts';
import { Mt19937, MT_WORDS } from './mt19937.ts';
import { PhiloxGenerator } from './philox-generator.ts';
import { TorchGenerator } from './torch-generator.ts';
import { checkInteger, parseStateSeed, show } from './validate.ts';

/**
 * The generator that continues where `state` was taken, bit for bit; later draws from either do not move the other.
 *
 * @param state a `GeneratorState`, also after a trip through JSON; it is not trusted, every field is checked
 * @throws UserError naming the field that is missing or out of range
 * @example
 * const generator = torchGenerator(0);
 * const copy = generatorFromState(JSON.parse(JSON.stringify(generator.state())));
 * copy.normal(1)[0] === generator.normal(1)[0]; // => true
 */
export function generatorFromState(state: unknown): Generator {
  const fields = toRecord(state);
  switch (fields['kind']) {
    case 'torch':
      return torchFromState(fields);
    case 'philox': {
      const seed = parseStateSeed(fields['seed']);
      const offset = fields['offset'];
      checkInteger('state.offset', offset, { min: 0, max: 2 ** 52 });
      return new PhiloxGenerator(seed, offset);
    }
    case 'counter': {
      const seed = parseStateSeed(fields['seed']);
      const position = fields['position'];
      checkInteger('state.position', position, { min: 0, max: 2 ** 52 + 2 ** 31 });
      return new PhiloxCounterGenerator({ seed, stream: checkStream(fields['stream']), position });
    }
    default:
      throw new UserError(
        `[tensor/random] state.kind is unknown: state.kind=${show(fields['kind'])}. Known: 'torch', 'philox', 'counter'.`,
      );
  }
}

function toRecord(state: unknown): Readonly<Record<string, unknown>> {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) {
    throw new UserError(
      `[tensor/random] state must be an object: state=${show(state)}. Pass the value of a generator's state(), parsed from JSON.`,
    );
  }
  return state as Readonly<Record<string, unknown>>;
}

function torchFromState(fields: Readonly<Record<string, unknown>>): Generator {
  const { words: text, position, cachedNormal } = fields;
  const bytes = typeof text === 'string' ? decodeBase64(text, MT_WORDS * 4) : null;
  if (bytes === null) {
    throw new UserError(
      `[tensor/random] state.words must be base64 of ${MT_WORDS} words: state.words=${show(text)}. Pass the value of state() unchanged.`,
    );
  }
  const view = new DataView(bytes.buffer);
  const words = Int32Array.from({ length: MT_WORDS }, (_, i) => view.getInt32(i * 4, true));
  if (words.every((word) => word === 0)) {
    throw new UserError(
      '[tensor/random] state.words are all zero, from where MT19937 gives zeros for ever: the state is damaged. Take it from an '
        + 'intact checkpoint.',
    );
  }
  checkInteger('state.position', position, { min: 0, max: MT_WORDS });
  if (cachedNormal !== null && !(typeof cachedNormal === 'number' && Number.isFinite(cachedNormal))) {
    throw new UserError(
      `[tensor/random] state.cachedNormal must be a finite number or null: state.cachedNormal=${show(cachedNormal)}. Pass the `
        + 'value of state() unchanged.',
    );
  }
  return new TorchGenerator(new Mt19937(words, position), cachedNormal);
}
