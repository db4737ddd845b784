import { UserError } from '@langevin/tensor';
import type { CheckpointFiles } from '../files.ts';
import { isPlainObject } from '../plain-object.ts';
import { FACTS, type Architecture } from './architecture.ts';
import { clipConfig, unetConfig, vaeConfig } from './configs.ts';
import type { Part } from './parts.ts';
import type { Naming } from './targets.ts';
import { withProjections } from './unet-names.ts';

type Config = Readonly<Record<string, unknown>>;

/** A part of a single file as a component of a pipeline. */
export interface FileComponent {
  /** Its folder in the layout of diffusers. */
  readonly name: string;
  readonly library: 'diffusers' | 'transformers';
  readonly className: string;
  readonly config: Config;
  readonly prefix: string;
  readonly naming: Naming;
  /** Whether a moving average may be kept of it. */
  readonly denoiser: boolean;
  /** Tensors that the product does not use. */
  readonly left?: readonly { readonly pattern: RegExp; readonly reason: string }[];
  /** Square matrices that are one where the file has none, by name and size. */
  readonly added?: ReadonlyMap<string, number>;
}

/** Folders of the encoders by the prefixes of their names. */
const ENCODERS: Readonly<Record<string, string>> = {
  'cond_stage_model.transformer.': 'text_encoder',
  'cond_stage_model.model.': 'text_encoder',
  'conditioner.embedders.0.transformer.': 'text_encoder',
  'conditioner.embedders.0.model.': 'text_encoder_2',
  'conditioner.embedders.1.model.': 'text_encoder_2',
  'text_encoders.clip_l.transformer.': 'text_encoder',
  'text_encoders.clip_g.transformer.': 'text_encoder_2',
  'text_encoders.t5xxl.transformer.': 'text_encoder_3',
};
/** OpenCLIP's ViT-H has 24 layers; Stable Diffusion 2 was trained on what the one before the last gives. */
const VIT_H_LAYERS = 24;

/**
 * The components that parts of a file are, with configurations: those of the folder beside it, else what shapes and product say.
 *
 * @throws UserError for a configuration that is no object, or where nothing says what is needed
 */
export async function componentsOf(
  parts: readonly Part[],
  {
    architecture,
    from,
    beside,
  }: { readonly architecture: Architecture | undefined; readonly from: string; readonly beside?: CheckpointFiles },
): Promise<readonly FileComponent[]> {
  const components: FileComponent[] = [];
  for (const part of parts) {
    const { name, library, className, told, ...rest } = describe(part, { architecture, from });
    const given = await givenConfig(beside, name);
    const config = given ?? told();
    const naming =
      part.kind === 'unet'
        ? withProjections(rest.naming, config['use_linear_projection'] === true ? 'linear' : 'convolution')
        : rest.naming;
    components.push({ ...rest, name, library, className, config, naming, prefix: part.prefix });
  }
  return components;
}

async function givenConfig(beside: CheckpointFiles | undefined, name: string): Promise<Config | undefined> {
  const path = `${name}/config.json`;
  if (beside?.sizes.has(path) !== true) return undefined;
  const config = await beside.json(path);
  if (isPlainObject(config)) return config;
  throw new UserError(`[pipelines/single-file] configuration is no object: file=${beside.label}/${path}. Correct the file.`);
}

type Described = Omit<FileComponent, 'config' | 'prefix'> & { readonly told: () => Config };

function describe(
  part: Part,
  { architecture, from }: { readonly architecture: Architecture | undefined; readonly from: string },
): Described {
  const diffusers = { library: 'diffusers', denoiser: false } as const;
  const transformers = { library: 'transformers', denoiser: false } as const;
  switch (part.kind) {
    case 'unet': {
      // A U-Net was either refused by now or is of some product.
      const product = architecture ?? 'sd1';
      const told = (): Config => unetConfig(part.layout, { architecture: product, pixels: FACTS[product].pixels });
      return { ...diffusers, name: 'unet', className: 'UNet2DConditionModel', denoiser: true, naming: part.layout.naming, told };
    }
    case 'sd3':
    case 'flux':
      return {
        ...diffusers,
        name: 'transformer',
        className: String(part.layout.config['_class_name']),
        denoiser: true,
        naming: part.layout.naming,
        told: () => part.layout.config,
      };
    case 'vae':
      return {
        ...diffusers,
        name: 'vae',
        className: 'AutoencoderKL',
        naming: part.layout.naming,
        told: () => vaeConfig(part.layout, { architecture, from }),
      };
    case 't5':
      return {
        ...transformers,
        name: 'text_encoder_3',
        className: 'T5EncoderModel',
        naming: part.layout.naming,
        told: () => part.layout.config,
      };
    case 'clip': {
      const projected = part.prefix.startsWith('text_encoders.');
      const className = projected ? 'CLIPTextModelWithProjection' : 'CLIPTextModel';
      const activation = part.prefix.includes('clip_g') ? 'gelu' : 'quick_gelu';
      return {
        ...transformers,
        name: ENCODERS[part.prefix]!,
        className,
        naming: part.layout.naming,
        // Files of SD 3 leave out a projection that is one.
        ...(projected && { added: new Map([['text_projection.weight', part.layout.features]]) }),
        told: () => clipConfig(part.layout, { className, activation }),
      };
    }
    case 'openclip': {
      const second = part.prefix !== 'cond_stage_model.model.';
      const className = second ? 'CLIPTextModelWithProjection' : 'CLIPTextModel';
      const shortened = !second && part.layout.layers === VIT_H_LAYERS;
      const layout = shortened ? { ...part.layout, layers: VIT_H_LAYERS - 1 } : part.layout;
      const last = `transformer.resblocks.${VIT_H_LAYERS - 1}.`;
      const unused = (name: string): boolean => !second && (name === 'text_projection' || (shortened && name.startsWith(last)));
      return {
        ...transformers,
        name: ENCODERS[part.prefix]!,
        className,
        naming: (name) => (unused(name) ? undefined : part.layout.naming(name)),
        ...(!second && {
          left: [
            {
              pattern: /^cond_stage_model\.model\.(?:text_projection$|transformer\.resblocks\.23\.)/u,
              reason: 'behind the layer that Stable Diffusion 2 reads',
            },
          ],
        }),
        told: () => clipConfig(layout, { className, activation: 'gelu' }),
      };
    }
  }
}
