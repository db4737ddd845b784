import { add, avgPool, concat, mul, relu, reshape, slice, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { conv, defineModule, perItem, pixelUnshuffle, scoped, type ConvParams, type Layer } from '@langevin/nn';
import type { Conditions, ConditionSpecs } from '@langevin/core';
import { adapterName } from '../../unet2d-condition/residuals.ts';
import type { Steering, SteeringInputs } from '../define-steering.ts';
import { completeT2iAdapterConfig, parseT2iAdapterConfig, T2I_ADAPTER, type T2iAdapterConfig } from './config.ts';

/** Names of diffusers. */
interface ResnetParams {
  readonly block1: ConvParams;
  readonly block2: ConvParams;
}

/** Names of diffusers; `out_conv` is that of a light adapter. */
export interface AdapterBlockParams {
  readonly in_conv?: ConvParams;
  readonly resnets: readonly ResnetParams[];
  readonly out_conv?: ConvParams;
}

/** Names of diffusers. */
export interface T2iAdapterParams {
  readonly adapter: { readonly conv_in?: ConvParams; readonly body: readonly AdapterBlockParams[] };
}

/** The mean of 2x2 pixels; an odd side ends with a mean of those that there are. */
function halvedUp(x: Tensor): Tensor {
  const evened = [2, 3].reduce((h, axis) => (h.shape[axis]! % 2 === 0 ? h : concat([h, slice(h, { [axis]: { start: -1 } })], axis)), x);
  return avgPool(evened, { kernel: 2 });
}

interface BlockConfig {
  readonly inputs: number;
  readonly outputs: number;
  readonly layers: number;
  readonly resample: 'none' | 'down';
  readonly kind: 'full' | 'light';
}

function adapterBlock({ inputs, outputs, layers, resample, kind }: BlockConfig): Layer<AdapterBlockParams> {
  const isLight = kind === 'light';
  const between = isLight ? Math.floor(outputs / 4) : outputs;
  const convIn = isLight || inputs !== between ? scoped('in_conv', conv({ inputs, outputs: between, kernel: 1 })) : undefined;
  const first = conv({ inputs: between, outputs: between, kernel: 3, padding: 1 });
  const second = isLight ? first : conv({ inputs: between, outputs: between, kernel: 1 });
  const convOut = isLight ? scoped('out_conv', conv({ inputs: between, outputs, kernel: 1 })) : undefined;
  return defineModule({
    init: (generator: Generator): AdapterBlockParams => ({
      ...(convIn && { in_conv: convIn.init(generator) }),
      resnets: Array.from({ length: layers }, () => ({ block1: first.init(generator), block2: second.init(generator) })),
      ...(convOut && { out_conv: convOut.init(generator) }),
    }),
    apply(params: AdapterBlockParams, x: Tensor) {
      const start = resample === 'down' ? halvedUp(x) : x;
      const entered = convIn ? convIn.apply(params.in_conv!, start) : start;
      const h = params.resnets.reduce((at, { block1, block2 }) => add(second.apply(block2, relu(first.apply(block1, at))), at), entered);
      return convOut ? convOut.apply(params.out_conv!, h) : h;
    },
  });
}

/** The blocks of each kind of adapter: their channels, and which halve. */
function blocksOf({ adapterType, channels, numResBlocks: layers, inChannels, downscaleFactor }: T2iAdapterConfig): readonly BlockConfig[] {
  const before = (i: number, first: number): number => (i === 0 ? first : channels[i - 1]!);
  switch (adapterType) {
    case 'full_adapter':
      return channels.map((outputs, i) => ({
        inputs: before(i, channels[0]!),
        outputs,
        layers,
        resample: i === 0 ? 'none' : 'down',
        kind: 'full',
      }));
    case 'full_adapter_xl':
      return channels.map((outputs, i) => ({
        inputs: i === 1 || i === 2 ? channels[i - 1]! : outputs,
        outputs,
        layers,
        resample: i === 2 ? 'down' : 'none',
        kind: 'full',
      }));
    case 'light_adapter': {
      const all = [...channels, channels.at(-1)!];
      return all.map((outputs, i) => ({
        inputs: i === 0 ? inChannels * downscaleFactor ** 2 : all[i - 1]!,
        outputs,
        layers,
        resample: i === 0 ? 'none' : 'down',
        kind: 'light',
      }));
    }
  }
}

/**
 * A small network that makes features of a picture, once for all steps, which are added to those of a U-Net on its way down: Mou et al.
 * 2023 (arXiv:2302.08453), in the form of diffusers' `T2IAdapter`.
 *
 * `apply(params, { hint [N, inChannels, H, W], scale? })` gives `adapter.0` and so on, conditions of the U-Net; of a `full_adapter_xl` the
 * last is `adapter.middle`. H and W are multiples of `downscaleFactor`.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when the picture does not fit
 * @example
 * const net = t2iAdapter({ channels: [8, 16], numResBlocks: 1 });
 * net.apply(net.init(torchGenerator(0)), { hint: zeros([1, 3, 64, 64]) })['adapter.1']!.shape; // => [1, 16, 4, 4]
 */
export function t2iAdapter(given: Partial<T2iAdapterConfig>): Steering<T2iAdapterParams> {
  const config = completeT2iAdapterConfig(given);
  const { inChannels, channels, downscaleFactor: factor, adapterType } = config;
  const configs = blocksOf(config);
  const convIn =
    adapterType === 'light_adapter'
      ? undefined
      : scoped('adapter.conv_in', conv({ inputs: inChannels * factor ** 2, outputs: channels[0]!, kernel: 3, padding: 1 }));
  const body = configs.map((each, i) => scoped(`adapter.body.${i}`, adapterBlock(each)));
  const isMiddle = (i: number): boolean => adapterType === 'full_adapter_xl' && i === configs.length - 1;
  const names = configs.map((_, i) => adapterName(isMiddle(i) ? 'middle' : i));
  const gives = Object.fromEntries(
    configs.map(({ outputs }, i) => {
      const halvings = configs.slice(0, i + 1).filter(({ resample }) => resample === 'down').length;
      // Samples have 8 pixels for each position; the large adapter begins at half their size.
      return [names[i]!, { kind: 'features', channels: outputs, shrink: Math.max(1, factor / 8) * 2 ** halvings } as const];
    }),
  ) satisfies ConditionSpecs;
  return Object.freeze({
    ...defineModule({
      init: (generator: Generator): T2iAdapterParams => ({
        adapter: {
          ...(convIn && { conv_in: convIn.init(generator) }),
          body: body.map((block) => block.init(generator)),
        },
      }),
      apply({ adapter }: T2iAdapterParams, { hint, scale }: SteeringInputs): Conditions {
        checkHint(hint, config);
        const cells = pixelUnshuffle(hint, factor);
        let h = convIn ? convIn.apply(adapter.conv_in!, cells) : cells;
        const made = body.map((block, i) => (h = block.apply(adapter.body[i]!, h)));
        const n = hint.shape[0]!;
        const strong = (x: Tensor): Tensor => (scale === undefined ? x : mul(x, reshape(perItem(scale, n, 'scale'), [n, 1, 1, 1])));
        return Object.fromEntries(names.map((name, i) => [name, strong(made[i]!)]));
      },
    }),
    info: { hint: { channels: inChannels, pixels: 8 }, reads: 'hint', conditions: {}, gives },
  } satisfies Steering<T2iAdapterParams>);
}

/** {@link t2iAdapter} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export const t2iAdapterFromConfig = (json: unknown): Steering<T2iAdapterParams> => t2iAdapter(parseT2iAdapterConfig(json));

function checkHint(hint: Tensor, { inChannels, downscaleFactor }: T2iAdapterConfig): void {
  const fits =
    hint.rank === 4
    && hint.shape[1] === inChannels
    && !hint.shape.includes(0)
    && hint.shape.slice(2).every((n) => n % downscaleFactor === 0);
  if (fits) return;
  throw new UserError(
    `[${T2I_ADAPTER.where}] picture does not fit: hint=[${hint.shape.join(', ')}], downscale_factor=${downscaleFactor}. Give `
      + `[N, ${inChannels}, H, W] in [0, 1], H and W multiples of ${downscaleFactor}.`,
  );
}
