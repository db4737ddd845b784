import { checkDenoiser, type Algebra, type ConditionalDenoiser, type Denoiser } from '@langevin/core';
import { readOptions, shownValue, UserError } from '@langevin/tensor';

/** What a rule makes a guided denoiser of. */
export interface GuidanceInput<T, C> {
  /** The model: its x0-prediction, or its own output where a scheduler of diffusers is driven, which diffusers guides. */
  readonly denoiser: ConditionalDenoiser<T, C>;
  /** How states are combined. */
  readonly algebra: Algebra<NoInfer<T>>;
  /** What the samples are to follow, at least one; each has something for every item of the batch. */
  readonly conditions: readonly C[];
  /** What stands for no condition; a negative prompt takes its place. @default none: rules that compare refuse */
  readonly none?: C;
}

/**
 * A rule that makes a denoiser of a model and its conditions: a frozen value. It knows no network and no sampler, and serves arrays and
 * tensors alike.
 */
export interface Guidance {
  /** As in listings: `cfg`. */
  readonly name: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** Paper, with equation where there is one. */
  readonly source: string;
  /** The guided denoiser; its `nfe` counts each condition that is asked. @throws UserError when something that the rule needs is missing */
  readonly guide: <T, C>(input: GuidanceInput<T, C>) => Denoiser<T>;
}

/**
 * A rule from its parts. What it is given is checked before it sees it: a conditional denoiser, an algebra, some conditions.
 *
 * @throws UserError when a part is missing
 * @example
 * const plain = defineGuidance({
 *   name: 'plain',
 *   summary: 'The model under its first condition.',
 *   source: 'none',
 *   guide: ({ denoiser, conditions }) => bindCondition(denoiser, conditions[0]!),
 * });
 * plain.name; // => 'plain'
 */
export function defineGuidance(definition: Guidance): Guidance {
  const { name, summary, source, guide } = readOptions('guidance/define', definition);
  for (const [field, text] of Object.entries({ name, summary, source }))
    if (typeof text !== 'string' || text === '')
      throw new UserError(`[guidance/define] a rule says what it is: ${field}=${shownValue(text)}. Pass a text.`);
  if (typeof guide !== 'function')
    throw new UserError(`[guidance/define] there is no rule: name=${name}, guide=${shownValue(guide)}. Pass a function of what it guides.`);
  return Object.freeze({
    name,
    summary,
    source,
    guide: <T, C>(input: GuidanceInput<T, C>): Denoiser<T> => {
      const made = guide(checkedInput(name, input));
      checkDenoiser(`guidance/${name}`, made);
      return made;
    },
  });
}

function checkedInput<T, C>(name: string, given: GuidanceInput<T, C>): GuidanceInput<T, C> {
  const where = `guidance/${name}`;
  const { denoiser, algebra, conditions, none } = readOptions(where, given);
  if (typeof denoiser !== 'function' || typeof denoiser.batch !== 'function')
    throw new UserError(
      `[${where}] denoiser takes no conditions: denoiser=${typeof denoiser === 'function' ? 'a plain function' : shownValue(denoiser)}. `
        + 'Make one by networkDenoiser() of @langevin/diffusion or by defineConditionalDenoiser().',
    );
  if (typeof algebra?.linear !== 'function')
    throw new UserError(`[${where}] there is no algebra: algebra=${shownValue(algebra)}. Pass arrayAlgebra() or tensorAlgebra().`);
  if (!Array.isArray(conditions) || conditions.length === 0)
    throw new UserError(`[${where}] there is nothing to follow: conditions=${shownValue(conditions)}. Pass a list of at least one.`);
  return Object.freeze({ denoiser, algebra, conditions: Object.freeze([...conditions]), ...(none !== undefined && { none }) });
}

/** The one condition of rules that take no more. @throws UserError when there are several */
export function onlyCondition<C>(name: string, conditions: readonly C[]): C {
  if (conditions.length === 1) return conditions[0]!;
  throw new UserError(
    `[guidance/${name}] rule follows one condition: conditions=${conditions.length}. Pass one, or take composed({ weights }).`,
  );
}

/** Throws a UserError unless the value is a rule. */
export function checkGuidance(where: string, value: unknown): asserts value is Guidance {
  if (typeof value === 'object' && value !== null && 'guide' in value && typeof value.guide === 'function') return;
  throw new UserError(`[${where}] this is no guidance: of=${shownValue(value)}. Pass one of defineGuidance(), such as cfg().`);
}
