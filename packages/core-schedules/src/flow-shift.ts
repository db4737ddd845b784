import { checkNumber, UserError } from '@langevin/tensor';

const WHERE = 'core-schedules/flow-shift';

export interface ImageTokensOptions {
  /** In pixels. */
  readonly height: number;
  readonly width: number;
  /** Pixels along the side of a token: compression of the autoencoder times the patch. @default 16, 8 times 2 */
  readonly patch?: number;
}

/**
 * Length of the sequence that a transformer makes of an image.
 *
 * @example
 * imageTokens({ height: 1024, width: 1024 }); // => 4096
 */
export function imageTokens({ height, width, patch = 16 }: ImageTokensOptions): number {
  checkNumber(WHERE, { patch }, { atLeast: 1, kind: 'integer' });
  checkNumber(WHERE, { height }, { atLeast: patch, kind: 'integer' });
  checkNumber(WHERE, { width }, { atLeast: patch, kind: 'integer' });
  return Math.floor(height / patch) * Math.floor(width / patch);
}

export interface SequenceMuOptions {
  /** Tokens of the image; see {@link imageTokens}. */
  readonly tokens: number;
  /** The line goes through (baseTokens, baseMu) and (maxTokens, maxMu). @default 256 and 0.5, 4096 and 1.15: Flux */
  readonly baseTokens?: number;
  readonly baseMu?: number;
  readonly maxTokens?: number;
  readonly maxMu?: number;
}

/**
 * The log of a flow's shift for so many tokens, on a line (Flux's pipelines; not bounded beyond its ends).
 *
 * @example
 * flow({ shift: shiftOfMu(sequenceMu({ tokens: imageTokens({ height: 1024, width: 1024 }) })) }).sigma(0.5); // => 0.7595
 */
export function sequenceMu(options: SequenceMuOptions): number {
  const { tokens, baseTokens = 256, baseMu = 0.5, maxTokens = 4096, maxMu = 1.15 } = options;
  checkNumber(WHERE, { tokens }, { above: 0 });
  checkNumber(WHERE, { baseTokens }, { above: 0 });
  checkNumber(WHERE, { maxTokens }, { above: baseTokens });
  checkNumber(WHERE, { baseMu });
  checkNumber(WHERE, { maxMu });
  return baseMu + ((maxMu - baseMu) * (tokens - baseTokens)) / (maxTokens - baseTokens);
}

const FORMS = ['exponential', 'linear'] as const;

/**
 * The shift of flow() that a mu stands for: e^mu (`exponential`), or mu itself (`linear`). @default 'exponential'
 *
 * @example
 * shiftOfMu(1.15); // => 3.1582
 */
export function shiftOfMu(mu: number, form: (typeof FORMS)[number] = 'exponential'): number {
  if (!FORMS.includes(form)) throw new UserError(`[${WHERE}] unknown form of shift: form="${String(form)}". Known: ${FORMS.join(', ')}.`);
  checkNumber(WHERE, { mu }, form === 'linear' ? { above: 0 } : {});
  return form === 'exponential' ? Math.exp(mu) : mu;
}

export interface ResolutionOptions {
  /** Side of the images at which the schedule was made, in pixels or tokens. */
  readonly base: number;
  /** Side of the images to make, in the same units; for other forms the root of the area. */
  readonly resolution: number;
}

/**
 * The shift of flow() that keeps the uncertainty of an image the same at another resolution: sqrt(m / n) for areas n and m, that is
 * resolution / base (Esser et al. 2024, arXiv:2403.03206, eq. 23). For variance-preserving processes see resolutionShift().
 *
 * @example
 * resolutionFlowShift({ base: 256, resolution: 1024 }); // => 4
 */
export function resolutionFlowShift({ base, resolution }: ResolutionOptions): number {
  checkNumber(WHERE, { base }, { above: 0 });
  checkNumber(WHERE, { resolution }, { above: 0 });
  return resolution / base;
}
