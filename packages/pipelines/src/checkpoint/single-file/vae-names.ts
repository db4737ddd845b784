import { asMatrix, countOf, sizeIn, type Naming, type Shapes } from './targets.ts';

/** What an autoencoder is, as its names and shapes say. */
export interface VaeLayout {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly channels: readonly number[];
  readonly layers: number;
  readonly latentChannels: number;
  readonly quantConvolutions: 'both' | 'none';
  readonly naming: Naming;
}

const ATTENTION: Readonly<Record<string, string>> = { norm: 'group_norm', q: 'to_q', k: 'to_k', v: 'to_v', proj_out: 'to_out.0' };

/**
 * Where the parts of latent diffusion's autoencoder lie in that of diffusers. Levels of its decoder are numbered from the finest, those of
 * diffusers in the order of use.
 *
 * @param shapes of the autoencoder alone, without its prefix
 */
export function vaeLayout(shapes: Shapes): VaeLayout {
  const levels = countOf(shapes, /^encoder\.down\.(\d{1,2})\./u);
  return {
    inChannels: sizeIn(shapes, 'encoder.conv_in.weight', 1),
    outChannels: sizeIn(shapes, 'decoder.conv_out.weight', 0),
    channels: Array.from({ length: levels }, (_, level) => sizeIn(shapes, `encoder.down.${level}.block.0.conv2.weight`, 0)),
    layers: countOf(shapes, /^encoder\.down\.0\.block\.(\d{1,2})\./u),
    latentChannels: sizeIn(shapes, 'decoder.conv_in.weight', 1),
    quantConvolutions: shapes.has('quant_conv.weight') ? 'both' : 'none',
    naming: (name) => {
      if (/^(?:post_)?quant_conv\.|^(?:en|de)coder\.conv_(?:in|out)\./u.test(name)) return [{ to: name }];
      const inner = /^(encoder|decoder)\.(.*)\.(weight|bias)$/u.exec(name);
      if (inner === null) return undefined;
      const [, side, module, kind] = inner as unknown as [string, string, string, string];
      const to = moduleName(module, levels);
      if (to === undefined) return undefined;
      const matrix = kind === 'weight' && /\.attentions\.0\.to_/u.test(to);
      return [{ to: `${side}.${to}.${kind}`, ...(matrix && { values: asMatrix }) }];
    },
  };
}

function moduleName(module: string, levels: number): string | undefined {
  if (module === 'norm_out') return 'conv_norm_out';
  const resnet = (text: string): string => text.replace('nin_shortcut', 'conv_shortcut');
  const block = /^(down|up)\.(\d+)\.block\.(\d+)\.(.*)$/u.exec(module);
  const levelOf = (side: string, level: string): number => (side === 'up' ? levels - 1 - Number(level) : Number(level));
  if (block !== null) return `${block[1]}_blocks.${levelOf(block[1]!, block[2]!)}.resnets.${block[3]}.${resnet(block[4]!)}`;
  const sampler = /^(down|up)\.(\d+)\.(downsample|upsample)\.conv$/u.exec(module);
  if (sampler !== null) return `${sampler[1]}_blocks.${levelOf(sampler[1]!, sampler[2]!)}.${sampler[3]}rs.0.conv`;
  const middle = /^mid\.block_([12])\.(.*)$/u.exec(module);
  if (middle !== null) return `mid_block.resnets.${Number(middle[1]) - 1}.${resnet(middle[2]!)}`;
  const attention = /^mid\.attn_1\.(.*)$/u.exec(module)?.[1];
  return attention !== undefined && Object.hasOwn(ATTENTION, attention) ? `mid_block.attentions.0.${ATTENTION[attention]!}` : undefined;
}
