import type { Image } from '@langevin/io';
import { checkListeners, checkNumber, shownValue, UserError } from '@langevin/tensor';

/** What an argument has to be; code without types passes anything. */
export type GivenKind = 'an object' | 'a list' | 'a text' | 'a function' | 'an array of floats';

const IS: Readonly<Record<GivenKind, (value: unknown) => boolean>> = {
  'an object': (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value),
  'a list': Array.isArray,
  'a text': (value) => typeof value === 'string',
  'a function': (value) => typeof value === 'function',
  'an array of floats': (value) => value instanceof Float64Array || value instanceof Float32Array,
};

/**
 * @param where "metrics/part", as errors begin
 * @param values what was passed for each argument, by the argument's name
 * @throws UserError naming the first that is not of the kind
 */
export function checkGiven(where: string, kind: GivenKind, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (IS[kind](value)) continue;
    const typed = kind === 'an array of floats' ? ', a Float64Array or a Float32Array' : '';
    throw new UserError(`[${where}] ${name} is not ${kind}: ${name}=${shownValue(value)}. Pass ${kind}${typed}.`);
  }
}

/** @throws UserError for a signal or a listener that is none */
export function checkRun(where: string, { signal, progress }: { readonly signal?: unknown; readonly progress?: unknown }): void {
  checkListeners(where, { signal, progress });
}

/** The largest picture: 2^26 pixels. */
const MOST_PIXELS = 2 ** 26;

/** @throws UserError naming the first that is no picture */
export function checkImages(where: string, name: string, images: unknown): asserts images is readonly Image[] {
  checkGiven(where, 'a list', { [name]: images });
  for (const [i, image] of (images as readonly unknown[]).entries()) {
    checkGiven(where, 'an object', { [`${name}[${i}]`]: image });
    const { width, height, channels, data } = image as Partial<Image>;
    checkNumber(where, { width, height }, { atLeast: 1, atMost: MOST_PIXELS, kind: 'integer' });
    checkNumber(where, { channels }, { atLeast: 1, atMost: 4, kind: 'integer' });
    if (data instanceof Uint8Array && data.length === width! * height! * channels!) continue;
    throw new UserError(
      `[${where}] bytes do not fill the picture: ${name}[${i}].data=${shownValue(data)}, ${width}x${height}x${channels}. `
        + 'Pass a Uint8Array [height, width, channels].',
    );
  }
}
