import { add, attention, checkNumber, mul, namedTensors, reshape, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { linear, perItem, shapesOnly, type LinearParams } from '@langevin/nn';
import {
  checkConditions,
  defineNetwork,
  maskOf,
  type ConditionSpec,
  type ConditionSpecs,
  type Network,
  type NetworkArguments,
} from '@langevin/core';
import type { Unet2dCondition, Unet2dConditionParams } from '../unet2d-condition/unet2d-condition.ts';

const WHERE = 'backbones/ip-adapter';

/** Layers of one adapter by the number of the attention that they add to, as files have them: 1, 3, 5 and so on. */
export type IpAdapterParams = Readonly<Record<string, { readonly to_k_ip: LinearParams; readonly to_v_ip: LinearParams }>>;

/** A U-Net, and the adapters beside it. */
export interface ImagePromptedParams {
  readonly network: Unet2dConditionParams;
  readonly adapters: readonly IpAdapterParams[];
}

export interface ImagePromptOptions {
  /** How many adapters there are. @default 1 */
  readonly adapters?: number;
  /**
   * How much of an adapter an attention takes, by their names (`down_blocks.1.attentions.0.transformer_blocks.0.attn2`): 0 leaves it out
   * there, so that an adapter gives style or layout alone (Wang et al. 2024, arXiv:2404.02733). @default 1 everywhere
   */
  readonly share?: (attention: string, adapter: number) => number;
}

/** The conditions through which an adapter is reached: tokens of its images, and how strongly it acts. */
export const imagePromptName = (adapter: number): string => `image_prompt.${adapter}`;
export const imagePromptScaleName = (adapter: number): string => `image_prompt_scale.${adapter}`;

/** An attention that reads the text, as a place for adapters. */
interface Place {
  /** `down_blocks.0.attentions.0.transformer_blocks.0.attn2` */
  readonly name: string;
  /** Its number in files: those of attentions among pixels are between. */
  readonly key: string;
  /** Features of all heads together. */
  readonly inner: number;
  readonly contextSize: number;
}

const SECTIONS = ['down_blocks', 'up_blocks', 'mid_block'];

/** Attentions that read the text, in the order in which diffusers numbers them: down, up, middle. */
export function promptedAttentions(network: Unet2dCondition): readonly Place[] {
  const weights = [...namedTensors(network.init(shapesOnly))].filter(([name]) => name.endsWith('.attn2.to_k.weight'));
  const ordered = SECTIONS.flatMap((section) => weights.filter(([name]) => name.startsWith(`${section}.`)));
  return ordered.map(([name, { shape }], i) => ({
    name: name.slice(0, -'.to_k.weight'.length),
    key: `${2 * i + 1}`,
    inner: shape[0]!,
    contextSize: shape[1]!,
  }));
}

/**
 * A U-Net that attends to images beside the text: to what each such attention gathers of the text, it adds what it gathers of the tokens
 * of images through keys and values of the adapter. Ye et al. 2023 (arXiv:2308.06721), as diffusers' `IPAdapterAttnProcessor`.
 *
 * `image_prompt.0` [N, L, D] are the tokens of the images of adapter 0, made by {@link imageProjection} once; `image_prompt_scale.0` [N]
 * is 1 where it is left out. An adapter whose tokens are left out is not run.
 *
 * @throws UserError when numbers are out of range, or at `apply` when conditions do not fit
 * @example
 * const unet = unet2dCondition({
 *   blockOutChannels: [32, 64],
 *   downBlockTypes: ['CrossAttnDownBlock2D', 'DownBlock2D'],
 *   upBlockTypes: ['UpBlock2D', 'CrossAttnUpBlock2D'],
 *   crossAttentionDim: 16,
 * });
 * const net = withImagePrompts(unet);
 * const conditions = { text: zeros([1, 77, 16]), 'image_prompt.0': zeros([1, 4, 16]) };
 * net.apply(net.init(torchGenerator(0)), zeros([1, 4, 8, 8]), scalar(1), { conditions }).shape; // => [1, 4, 8, 8]
 */
export function withImagePrompts(network: Unet2dCondition, options: ImagePromptOptions = {}): Network<ImagePromptedParams> {
  const { adapters: count = 1, share = () => 1 } = options;
  checkNumber(WHERE, { adapters: count }, { atLeast: 1, atMost: 64, kind: 'integer' });
  const places = promptedAttentions(network);
  const byName = new Map(places.map((place) => [place.name, place]));
  const contextSize = places[0]?.contextSize ?? 1;
  const indices = Array.from({ length: count }, (_, i) => i);
  const own = Object.fromEntries(
    indices.flatMap((i): [string, ConditionSpec][] => [
      [imagePromptName(i), { kind: 'tokens', size: contextSize, optional: true }],
      [imagePromptScaleName(i), { kind: 'scalar', optional: true }],
    ]),
  );
  const info: Network<ImagePromptedParams>['info'] = { ...network.info, conditions: { ...network.info.conditions, ...own } };
  const shares = new Map(places.flatMap(({ name }) => indices.map((i) => [`${i}/${name}`, checkedShare(share(name, i))])));

  return defineNetwork<ImagePromptedParams>({
    info,
    init(generator: Generator): ImagePromptedParams {
      const weights = ({ inner, contextSize: inputs }: Place): LinearParams =>
        linear({ inputs, outputs: inner, bias: 'none' }).init(generator);
      return {
        network: network.init(generator),
        adapters: indices.map(() =>
          Object.fromEntries(places.map((place) => [place.key, { to_k_ip: weights(place), to_v_ip: weights(place) }])),
        ),
      };
    },
    apply(params, ...[x, time, inputs = {}]: NetworkArguments) {
      const given = inputs.conditions ?? {};
      checkConditions(WHERE, given, { specs: info.conditions, batch: x.shape[0]! });
      const prompts = indices.filter((i) => given[imagePromptName(i)] !== undefined);
      const conditions = without(given, own);
      const arguments_: NetworkArguments = [x, time, { ...inputs, conditions }];
      if (prompts.length === 0) return network.applyWith(params.network, undefined, arguments_);
      return network.applyWith(
        params.network,
        (name) => {
          const place = byName.get(name);
          const active = place === undefined ? [] : prompts.filter((i) => shares.get(`${i}/${name}`) !== 0);
          if (place === undefined || active.length === 0) return undefined;
          const parts = active.map((i) => (queries: Tensor): Tensor => {
            const gathered = gatheredOf(queries, {
              params: params.adapters[i]![place.key]!,
              tokens: given[imagePromptName(i)]!,
              mask: given[maskOf(imagePromptName(i))],
            });
            const scale = given[imagePromptScaleName(i)];
            const part = shares.get(`${i}/${name}`)!;
            const fixed = part === 1 ? gathered : mul(gathered, part);
            return scale === undefined ? fixed : mul(fixed, reshape(perItem(scale, x.shape[0]!, 'scale'), [x.shape[0]!, 1, 1, 1]));
          });
          return (queries) => parts.map((part) => part(queries)).reduce((a, b) => add(a, b));
        },
        arguments_,
      );
    },
  });
}

function without(conditions: Readonly<Record<string, Tensor>>, specs: ConditionSpecs): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(Object.entries(conditions).filter(([name]) => !Object.hasOwn(specs, name.replace(/\.mask$/u, ''))));
}

function checkedShare(share: number): number {
  checkNumber(WHERE, { share });
  return share;
}

/** What queries [N, heads, L, headSize] gather of the tokens [N, S, D] of images. */
function gatheredOf(
  queries: Tensor,
  { params, tokens, mask }: { readonly params: IpAdapterParams[string]; readonly tokens: Tensor; readonly mask: Tensor | undefined },
): Tensor {
  const [n, heads, , headSize] = queries.shape as readonly [number, number, number, number];
  const layer = linear({ inputs: tokens.shape[2]!, outputs: heads * headSize, bias: 'none' });
  const toHeads = (weights: LinearParams): Tensor =>
    transpose(reshape(layer.apply(weights, tokens), [n, tokens.shape[1]!, heads, headSize]), [0, 2, 1, 3]);
  // An image that a shorter item does not have is left out.
  const kept = mask && reshape(mask, [n, 1, 1, tokens.shape[1]!]);
  return attention({ q: queries, k: toHeads(params.to_k_ip), v: toHeads(params.to_v_ip), mask: kept });
}
