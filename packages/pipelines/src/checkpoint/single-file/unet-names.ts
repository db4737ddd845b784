import { UNET_ENDS, UNET_RESNET } from '../../first-names.ts';
import { asConvolution, asMatrix, moduleOf, type Naming, type Shapes, sizeIn } from './targets.ts';

/** What the blocks of a U-Net are, as their names and shapes say. */
export interface UnetLayout {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly channels: readonly number[];
  readonly layers: number;
  /** Transformer blocks in each attention of a level; 0 for a level without attention. */
  readonly depths: readonly number[];
  readonly middleDepth: number;
  /** Features of the context that the attention reads. */
  readonly context: number;
  readonly projections: 'linear' | 'convolution';
  /** Features of what is added to the embedding of the time; undefined for none. */
  readonly added: number | undefined;
  readonly naming: Naming;
}

interface Child {
  /** `input_blocks.4.1` */
  readonly at: string;
  readonly kind: 'resnet' | 'attention' | 'downsampler' | 'upsampler';
}

/**
 * Where the blocks of latent diffusion's U-Net lie in that of diffusers. Its blocks are numbered through, those of diffusers by level and
 * kind; levels end where a picture is resampled, which the names say, so that no configuration is needed.
 *
 * @param shapes of the U-Net alone, without its prefix
 */
export function unetLayout(shapes: Shapes): UnetLayout {
  const children = childrenOf(shapes);
  const modules = new Map<string, { readonly to: string; readonly kind: Child['kind'] }>();
  const depths: number[] = [];
  const channels: number[] = [];
  let layers = 0;
  for (const { side, blocks } of [
    { side: 'down', blocks: sequence(children, 'input_blocks').slice(1) },
    { side: 'up', blocks: sequence(children, 'output_blocks') },
  ]) {
    let level = 0;
    let layer = 0;
    for (const block of blocks) {
      let ends = false;
      for (const { at, kind } of block) {
        if (kind === 'resnet') modules.set(at, { kind, to: `${side}_blocks.${level}.resnets.${layer}` });
        else if (kind === 'attention') modules.set(at, { kind, to: `${side}_blocks.${level}.attentions.${layer}` });
        else modules.set(`${at}.${kind === 'downsampler' ? 'op' : 'conv'}`, { kind, to: `${side}_blocks.${level}.${kind}s.0.conv` });
        ends ||= kind === 'downsampler' || kind === 'upsampler';
        if (side === 'down' && kind === 'resnet') channels[level] = sizeIn(shapes, `${at}.out_layers.3.weight`, 0);
        if (side === 'down' && kind === 'attention') depths[level] = depthOf(shapes, at);
      }
      if (block.some(({ kind }) => kind === 'resnet')) layer += 1;
      if (side === 'down') layers = Math.max(layers, layer);
      if (!ends) continue;
      level += 1;
      layer = 0;
    }
  }
  let middleDepth = 0;
  const counts = { resnet: 0, attention: 0 };
  for (const { at, kind } of children.get('middle_block') ?? []) {
    if (kind !== 'resnet' && kind !== 'attention') continue;
    modules.set(at, { kind, to: `mid_block.${kind}s.${counts[kind]++}` });
    if (kind === 'attention') middleDepth = depthOf(shapes, at);
  }
  const attention = [...modules].find(([, { kind }]) => kind === 'attention')?.[0] ?? '';
  const projections = shapes.get(`${attention}.proj_in.weight`)?.length === 2 ? 'linear' : 'convolution';
  return {
    inChannels: sizeIn(shapes, 'input_blocks.0.0.weight', 1),
    outChannels: sizeIn(shapes, 'out.2.weight', 0),
    channels,
    layers,
    depths: channels.map((_, level) => depths[level] ?? 0),
    middleDepth,
    context: sizeIn(shapes, `${attention}.transformer_blocks.0.attn2.to_k.weight`, 1),
    projections,
    added: shapes.get('label_emb.0.0.weight')?.[1],
    naming: namingOf(modules),
  };
}

function namingOf(modules: ReadonlyMap<string, { readonly to: string; readonly kind: Child['kind'] }>): Naming {
  return (name) => {
    const end = moduleOf(name, UNET_ENDS);
    if (end !== undefined) return [{ to: end }];
    const parts = name.split('.');
    for (const length of [2, 3, 4]) {
      const at = parts.slice(0, length).join('.');
      const module = modules.get(at);
      if (module === undefined) continue;
      const rest = name.slice(at.length + 1);
      if (module.kind === 'resnet') {
        const own = moduleOf(rest, UNET_RESNET);
        return own === undefined ? undefined : [{ to: `${module.to}.${own}` }];
      }
      return [{ to: `${module.to}.${rest}` }];
    }
    return undefined;
  };
}

/** The same naming, for a class that has its projections in one form, whichever form the file has. */
export function withProjections(naming: Naming, form: UnetLayout['projections']): Naming {
  return (name) =>
    naming(name)?.map((target) =>
      /\.attentions\.\d+\.proj_(?:in|out)\.weight$/u.test(target.to)
        ? { ...target, values: form === 'linear' ? asMatrix : asConvolution }
        : target,
    );
}

/** What lies in each block, in order: by `input_blocks.4`, and by `middle_block`. */
function childrenOf(shapes: Shapes): ReadonlyMap<string, readonly Child[]> {
  const kinds = new Map<string, Child['kind']>();
  for (const name of shapes.keys()) {
    const match = /^((?:input_blocks\.\d+|output_blocks\.\d+|middle_block)\.\d+)\.(.*)$/u.exec(name);
    if (match === null) continue;
    const [, at, rest] = match as unknown as [string, string, string];
    if (rest.startsWith('in_layers.')) kinds.set(at, 'resnet');
    else if (rest.startsWith('transformer_blocks.')) kinds.set(at, 'attention');
    else if (rest.startsWith('op.')) kinds.set(at, 'downsampler');
    else if (rest.startsWith('conv.')) kinds.set(at, 'upsampler');
  }
  const children = new Map<string, Child[]>();
  for (const [at, kind] of kinds) {
    const block = at.slice(0, at.lastIndexOf('.'));
    children.set(block, [...(children.get(block) ?? []), { at, kind }]);
  }
  const number = ({ at }: Child): number => Number(at.slice(at.lastIndexOf('.') + 1));
  return new Map([...children].map(([block, list]) => [block, list.sort((a, b) => number(a) - number(b))]));
}

/** Blocks 0, 1, 2 of a name, to the first that is missing; one without known children counts. */
function sequence(children: ReadonlyMap<string, readonly Child[]>, name: string): readonly (readonly Child[])[] {
  const numbers = [...children.keys()].flatMap((key) => (key.startsWith(`${name}.`) ? [Number(key.slice(name.length + 1))] : []));
  return Array.from({ length: Math.min(1000, Math.max(-1, ...numbers) + 1) }, (_, i) => children.get(`${name}.${i}`) ?? []);
}

function depthOf(shapes: Shapes, at: string): number {
  let depth = 0;
  while (shapes.has(`${at}.transformer_blocks.${depth}.norm1.weight`)) depth += 1;
  return depth;
}
