import { UserError } from '@langevin/tensor';
import type { Evidence } from '../evidence.ts';
import { FACTS, type Architecture } from './architecture.ts';

const NAMES = { epsilon: 'epsilon', v: 'v_prediction', x0: 'sample' } as const;

/** What a single file says of the noise, in the entries of a scheduler's configuration. */
export interface FilePrediction {
  readonly entries: Readonly<Record<string, unknown>>;
  readonly evidence: readonly Evidence[];
}

/**
 * What a network predicts: what the caller says, else the marker tensors `v_pred` and `ztsnr`, else the configuration beside the file, else
 * that of a folder of configurations, else the usual of its product, which is noted as such.
 */
export function predictionOf(
  architecture: Architecture,
  {
    asked,
    markers,
    yaml,
    config,
  }: {
    readonly asked: keyof typeof NAMES | undefined;
    readonly markers: ReadonlySet<string>;
    readonly yaml: string | undefined;
    readonly config: Readonly<Record<string, unknown>> | undefined;
  },
): FilePrediction {
  const { prediction, title } = FACTS[architecture];
  const terminal = markers.has('ztsnr')
    ? {
        entries: { rescale_betas_zero_snr: true, timestep_spacing: 'trailing' },
        evidence: [{ component: 'scheduler', what: 'last level', value: 'noise alone', from: 'the marker tensor ztsnr' }],
      }
    : { entries: {}, evidence: [] };
  const decided = (value: string, from: string): FilePrediction => ({
    entries: { prediction_type: value, ...terminal.entries },
    evidence: [{ component: 'scheduler', what: 'prediction', value, from }, ...terminal.evidence],
  });
  if (prediction === 'flow') {
    if (asked !== undefined)
      throw new UserError(
        `[pipelines/single-file] prediction cannot be chosen: prediction=${asked}, model=${title}, which is a flow. Leave it out.`,
      );
    return { entries: {}, evidence: [{ component: 'scheduler', what: 'prediction', value: 'flow', from: `every model of ${title}` }] };
  }
  if (asked !== undefined) {
    if (!Object.hasOwn(NAMES, asked))
      throw new UserError(
        `[pipelines/single-file] unknown prediction: prediction=${String(asked)}. Known: ${Object.keys(NAMES).join(', ')}.`,
      );
    return decided(NAMES[asked], 'asked for');
  }
  if (markers.has('v_pred')) return decided('v_prediction', 'the marker tensor v_pred');
  // One entry of one line: nothing else of the program's configuration is needed.
  const named =
    yaml === undefined ? undefined : /^[\t ]*parameterization[\t ]*:[\t ]*["']?(eps|v|x0)["']?[\t ]*(?:#.*)?$/mu.exec(yaml)?.[1];
  if (named !== undefined)
    return decided({ eps: 'epsilon', v: 'v_prediction', x0: 'sample' }[named]!, 'parameterization in the configuration beside the file');
  const configured = config?.['prediction_type'];
  if (typeof configured === 'string') return decided(configured, 'scheduler/scheduler_config.json of the option config');
  const warning = architecture === 'sd2' ? '; its models of 512 pixels predict epsilon: say so with the option prediction' : '';
  return decided(prediction, `nothing in the file says it: the usual of ${title}${warning}`);
}
