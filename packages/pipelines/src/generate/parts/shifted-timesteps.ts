import type { OpenProduct, PictureSize } from '../product.ts';

/** What a schedule of a flow is told of the size of pictures. */
export interface ShiftOptions {
  /** Of the network: pixels of a patch along a side. */
  readonly pixels: number;
  /** Where the levels of a run are even steps from 1 to 1/steps, whatever the scheduler would take. @default its own */
  readonly levels?: 'even';
}

/** What diffusers takes where a scheduler's file does not say it. */
const DEFAULTS = { base_image_seq_len: 256, max_image_seq_len: 4096, base_shift: 0.5, max_shift: 1.15 } as const;

/**
 * The timesteps of a flow, shifted towards noise the more the larger a picture is: mu is linear in the number of patches (Esser et al.
 * 2024, arXiv:2403.03206, section 5.3.2; the numbers are of Flux), where the scheduler says that it shifts so.
 */
export function shiftedTimesteps({ pixels, levels }: ShiftOptions): NonNullable<OpenProduct['setTimesteps']> {
  return (scheduler, { steps, size }) => {
    const dynamic = scheduler.config['use_dynamic_shifting'] === true;
    const even = levels === 'even' && scheduler.config['use_flow_sigmas'] !== true;
    scheduler.setTimesteps({
      ...(even
        ? { sigmas: Array.from({ length: steps }, (_, i) => 1 + (i * (1 / steps - 1)) / Math.max(1, steps - 1)) }
        : { numInferenceSteps: steps }),
      ...(dynamic && { mu: shiftOf(scheduler.config, { size, pixels }) }),
    });
  };
}

function shiftOf(
  config: Readonly<Record<string, unknown>>,
  { size, pixels }: { readonly size: PictureSize; readonly pixels: number },
): number {
  const value = (name: keyof typeof DEFAULTS): number => {
    const given = config[name];
    return typeof given === 'number' && Number.isFinite(given) ? given : DEFAULTS[name];
  };
  const patches = Math.floor(size.width / pixels) * Math.floor(size.height / pixels);
  const [from, to] = [value('base_image_seq_len'), value('max_image_seq_len')];
  const slope = (value('max_shift') - value('base_shift')) / (to - from);
  return patches * slope + (value('base_shift') - slope * from);
}
