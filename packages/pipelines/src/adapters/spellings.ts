/** What a tensor of an adapter file is of its module. */
export type AdapterPart =
  | 'up'
  | 'down'
  | 'mid'
  | 'alpha'
  | 'bias'
  | 'magnitude'
  | 'dora_scale'
  | 'diff'
  | 'diff_b'
  | 'hada_w1_a'
  | 'hada_w1_b'
  | 'hada_w2_a'
  | 'hada_w2_b'
  | 'hada_t1'
  | 'hada_t2'
  | 'lokr_w1'
  | 'lokr_w1_a'
  | 'lokr_w1_b'
  | 'lokr_w2'
  | 'lokr_w2_a'
  | 'lokr_w2_b'
  | 'lokr_t2';

/** How the ends of names are spelt: kohya, PEFT, diffusers before PEFT, Comfy, LyCORIS. The name of an adapter may stand in PEFT's. */
const ENDS: readonly (readonly [end: RegExp, part: AdapterPart])[] = [
  [/\.lora_(?:B|up)(?:\.default)?\.weight$/u, 'up'],
  [/\.lora_(?:A|down)(?:\.default)?\.weight$/u, 'down'],
  [/\.lora_mid\.weight$/u, 'mid'],
  [/\.lora_B(?:\.default)?\.bias$/u, 'bias'],
  [/\.lora_magnitude_vector(?:\.default)?(?:\.weight)?$/u, 'magnitude'],
  [/(?:\.lora|\.lora_linear_layer|_lora)\.up\.weight$/u, 'up'],
  [/(?:\.lora|\.lora_linear_layer|_lora)\.down\.weight$/u, 'down'],
  [/\.alpha$/u, 'alpha'],
  [/\.dora_scale$/u, 'dora_scale'],
  [/\.(?:diff|w_norm)$/u, 'diff'],
  [/\.(?:diff_b|b_norm)$/u, 'diff_b'],
];
const FACTORS = /\.((?:hada_w[12]_[ab]|hada_t[12]|lokr_w[12](?:_[ab])?|lokr_t2))$/u;

/** The module that a name of a file is of, as it is spelt there, and what of it; undefined for what is no adapter's. */
export function partOf(name: string): { readonly module: string; readonly part: AdapterPart } | undefined {
  const factor = FACTORS.exec(name);
  if (factor !== null) return { module: name.slice(0, factor.index), part: factor[1] as AdapterPart };
  for (const [end, part] of ENDS) {
    const match = end.exec(name);
    if (match !== null) return { module: name.slice(0, match.index), part };
  }
  return undefined;
}

/** Which component the beginning of a name means; the first that fits is taken. */
const BEGINNINGS: readonly (readonly [begin: string, components: readonly string[]])[] = [
  ['lora_unet_', ['unet', 'transformer']],
  ['lora_transformer_', ['transformer']],
  ['lycoris_', ['unet', 'transformer']],
  ['lora_te1_', ['text_encoder']],
  ['lora_te2_', ['text_encoder_2']],
  ['lora_te3_', ['text_encoder_3']],
  ['lora_te_', ['text_encoder']],
  ['text_encoders.clip_l.transformer.', ['text_encoder']],
  ['text_encoders.clip_g.transformer.', ['text_encoder_2']],
  ['text_encoder_3.', ['text_encoder_3']],
  ['text_encoder_2.', ['text_encoder_2']],
  ['text_encoder.', ['text_encoder']],
  ['model.diffusion_model.', ['unet', 'transformer']],
  ['diffusion_model.', ['unet', 'transformer']],
  ['unet.', ['unet']],
  ['transformer.', ['transformer']],
];
const PEFT = 'base_model.model.';

/** The module without what says of which component it is; no components where that is not said. */
export function componentsOf(spelt: string): { readonly module: string; readonly components: readonly string[] } {
  const module = spelt.startsWith(PEFT) ? spelt.slice(PEFT.length) : spelt;
  for (const [begin, components] of BEGINNINGS)
    if (module.startsWith(begin)) {
      const rest = module.slice(begin.length);
      return { module: rest.startsWith(PEFT) ? rest.slice(PEFT.length) : rest, components };
    }
  return { module, components: [] };
}

/** Names under which a module may be known: as it is, and as diffusers spelt attention before it used PEFT. */
export function candidates(module: string): readonly string[] {
  const old = /^(.*?)(?:\.processor)?\.to_(q|k|v|out)$/u.exec(module);
  if (old === null) return [module];
  const [, block, which] = old as unknown as readonly [string, string, string];
  const linear = which === 'out' ? ['to_out.0', 'out_proj'] : [`to_${which}`, `${which}_proj`];
  return [module, ...linear.map((name) => `${block}.${name}`)];
}
