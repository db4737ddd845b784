import { encodePrompts, planPrompt, type PromptPlan } from '@langevin/encoders';
import { inFloat32 } from '@langevin/nn';
import { compile, UserError, type Engine, type Tensor } from '@langevin/tensor';
import type { PromptFormOptions } from '../prompt-options.ts';
import type { TextPart } from './add-embeddings.ts';

/** How the texts of a call are read. */
export type PromptForm = Required<PromptFormOptions>;

const PLAIN: PromptForm = Object.freeze({ dialect: 'plain', windows: 'one' });

/** What CLIP makes of some texts. */
export interface ClipFeatures {
  /** Of each token, [N, windows x L, size]. */
  readonly text: Tensor;
  readonly pooled: Tensor;
}

export interface ClipPromptOptions {
  readonly text: TextPart;
  /**
   * Which features: those behind the last norm; or those of a layer before, counted from the end (1 is the last but one), behind the same
   * norm or as they are.
   */
  readonly norm: 'always' | 'last';
  readonly engine?: Engine;
}

/** How plans are encoded. */
export interface EncodePlansOptions {
  /** Layers left out, from the end; 0 is the last one, with its norm. */
  readonly skip: number;
  /** Of each text; windows of no text fill them up. */
  readonly windows: number;
}

/** The encoding of texts by CLIP, compiled once for each number of windows. */
export function clipPrompts({ text: { tokenizer, ...encoder }, norm, engine }: ClipPromptOptions) {
  const { length: longest, layers } = encoder.module.info;
  const length = Math.min(tokenizer.length, longest ?? tokenizer.length);
  const features = (params: unknown, ids: Tensor, mask?: Tensor) => {
    const { last, states, normalised, pooled } = encoder.module.apply(inFloat32(params), ids, mask === undefined ? {} : { mask });
    return { last, layers: norm === 'always' ? states.map(normalised) : states, pooled: pooled! };
  };
  const onEngine = engine ? { engine } : {};
  const encode = compile((params: unknown, ids: Tensor) => features(params, ids), { freeze: [0], name: 'text encoder', ...onEngine });
  const encodeMasked = compile((params: unknown, ids: Tensor, mask: Tensor) => features(params, ids, mask), {
    freeze: [0],
    name: 'text encoder under a mask',
    ...onEngine,
  });
  const plan = (texts: readonly string[], { dialect, windows }: PromptForm): readonly PromptPlan[] =>
    texts.map((text) => planPrompt(text, { tokenizer, dialect, windows, length }));
  const encodePlans = async (plans: readonly PromptPlan[], { skip, windows }: EncodePlansOptions): Promise<ClipFeatures> => {
    if (skip > layers)
      throw new UserError(
        `[pipelines/generate] text encoder has fewer layers: clipSkip=${skip}, layers=${layers}. Leave out at most ${layers}.`,
      );
    return encodePrompts(plans, {
      tokenizer,
      windows,
      encode: async (ids, mask) => {
        const {
          last,
          layers: all,
          pooled,
        } = await (mask === undefined
          ? encode(encoder.params as never, ids as never)
          : encodeMasked(encoder.params as never, ids as never, mask as never));
        return { text: skip === 0 ? last : all.at(-1 - skip)!, pooled };
      },
    });
  };
  return Object.freeze({
    plan,
    encode: encodePlans,
    /** Texts as they are, each cut to one window. */
    encodeOne: async (texts: readonly string[], skip: number): Promise<ClipFeatures & { readonly lost: readonly string[] }> => {
      const plans = plan(texts, PLAIN);
      return { ...(await encodePlans(plans, { skip, windows: 1 })), lost: plans.map(({ lost }) => lost) };
    },
    dispose: async () => {
      await encode.dispose();
      await encodeMasked.dispose();
    },
  });
}

/** The texts of a call as plans, and in how many windows: as many for the prompts as for the negative ones. */
export function plansOf(
  encoders: readonly Pick<ReturnType<typeof clipPrompts>, 'plan'>[],
  {
    prompts,
    negatives,
    form = PLAIN,
  }: { readonly prompts: readonly string[]; readonly negatives: readonly string[] | undefined; readonly form: PromptForm | undefined },
) {
  const positive = encoders.map((encoder) => encoder.plan(prompts, form));
  const negative = negatives && encoders.map((encoder) => encoder.plan(negatives, form));
  const all = [...positive.flat(), ...(negative?.flat() ?? [])];
  return { positive, negative, windows: Math.max(...all.map(({ windows }) => windows.length)), notes: planNotes(all) };
}

/** What a user should know of texts that did not fit into one window. */
function planNotes(plans: readonly PromptPlan[]): readonly string[] {
  const lost = plans.flatMap((plan) => lostNotes([plan.lost], plan.windows[0]!.ids.length));
  const parted = plans
    .filter((plan) => plan.parted.length > 0)
    .map(
      (plan) => `text is in ${plan.windows.length} windows, parted before ${plan.parted.map((text) => JSON.stringify(text)).join(', ')}`,
    );
  return [...new Set([...lost, ...parted])];
}

/** What a user should know of texts that did not fit, each once. */
export function lostNotes(lost: readonly string[], length: number): readonly string[] {
  return [...new Set(lost)].filter((text) => text !== '').map((text) => `text did not fit into ${length} tokens and was cut: "${text}"`);
}

/** No text is the empty one. */
export function textsOf(texts: readonly (string | undefined)[]): readonly string[] {
  return texts.map((text) => text ?? '');
}
