import type { Evidence } from './evidence.ts';

type Config = Readonly<Record<string, unknown>>;

/** What diffusers' `EMAModel` writes beside the configuration of a network whose weights it averages. */
const AVERAGING = new Set(['decay', 'inv_gamma', 'min_decay', 'optimization_step', 'power', 'update_after_step', 'use_ema_warmup']);

/** One class of early diffusers has become several, told apart by their norms. */
const SPLIT: Readonly<Record<string, string>> = { ada_norm_zero: 'DiTTransformer2DModel', ada_norm_single: 'PixArtTransformer2DModel' };
const SPLIT_CLASS = 'Transformer2DModel';
/** Entries of that class which its heirs do not have, where they have their defaults. */
const SPLIT_DEFAULTS: Config = { attention_type: 'default', interpolation_scale: 1 };

/** The class and the configuration that are meant by those of an earlier diffusers, and why. */
export function repairConfig(component: { readonly name: string; readonly className: string; readonly config: Config }): {
  readonly className: string;
  readonly config: Config;
  readonly evidence: readonly Evidence[];
} {
  const { name, className, config } = component;
  const evidence: Evidence[] = [];
  const averaging = Object.keys(config).filter((key) => AVERAGING.has(key));
  if (averaging.length > 0)
    evidence.push({ component: name, what: 'entries not read', value: averaging.join(', '), from: 'notes of a moving average of weights' });
  let repaired = Object.fromEntries(Object.entries(config).filter(([key]) => !AVERAGING.has(key)));
  const heir = className === SPLIT_CLASS ? SPLIT[String(config['norm_type'])] : undefined;
  if (heir === undefined) return { className, config: repaired, evidence };
  evidence.push({ component: name, what: 'class', value: heir, from: `${SPLIT_CLASS} with norm_type=${String(config['norm_type'])}` });
  repaired = Object.fromEntries(Object.entries(repaired).filter(([key, value]) => SPLIT_DEFAULTS[key] !== value));
  return { className: heir, config: { ...repaired, _class_name: heir }, evidence };
}
