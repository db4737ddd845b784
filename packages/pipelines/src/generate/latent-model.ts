import { networkDenoiser } from '@langevin/diffusion';
import { fromDiffusersConfig } from '@langevin/samplers/compat';
import { componentOf, type Checkpoint } from '../checkpoint/checkpoint.ts';
import { loadAutoencoder } from '../checkpoint/load-encoder.ts';
import { loadNetwork, weightEvidence, type Loaded } from '../checkpoint/load-network.ts';
import { repairScheduler } from '../checkpoint/repair-scheduler.ts';
import { noiseOfScheduler } from '../checkpoint/scheduler-noise.ts';
import { latentCoder } from './latent-coder.ts';
import { pictureSide } from './picture-side.ts';
import type { OpenOptions, OpenProduct } from './product.ts';
import { ownOutput } from './scheduler-run.ts';

/** What diffusers runs where it is there, and these pictures go without. */
const UNUSED = ['safety_checker', 'watermark'] as const;

export interface LatentModelOptions extends OpenOptions {
  /** Of the product, for the report. */
  readonly name: string;
  /** The component that denoises. */
  readonly network: 'unet' | 'transformer';
  /** The side of latents where a configuration does not say one, or says a wrong one as early files do. */
  readonly side: number;
  readonly steps: number;
  readonly guidance: number;
}

/** What all products of latents have in common: a network, an autoencoder, and a scheduler that says what the network was trained on. */
export async function latentModel(
  checkpoint: Checkpoint,
  { name, network, side: early, steps, guidance, prediction, engine }: LatentModelOptions,
): Promise<Omit<OpenProduct, 'encodePrompts'>> {
  const denoiser = await loadNetwork(checkpoint, network);
  const vae = await loadAutoencoder(checkpoint);
  const filled = fromDiffusersConfig(componentOf(checkpoint, 'scheduler').config);
  const repaired = repairScheduler({ _class_name: filled.className, ...filled.config }, checkpoint.index!.className);
  const { noise, evidence } = noiseOfScheduler(repaired.config, prediction === undefined ? {} : { prediction });
  const factor = vae.module.info.factor[0]!;
  const { width, height, evidence: ofSize } = pictureSide(denoiser, { factor, early });
  const onEngine = engine ? { engine } : {};
  const { module, params } = denoiser;
  const predict = networkDenoiser({ network: module, params, noise: { preconditioning: ownOutput }, ...onEngine });
  const coder = latentCoder(vae, onEngine);
  return {
    name,
    label: checkpoint.files.label,
    network: denoiser,
    autoencoder: vae,
    predict,
    coder,
    ...onEngine,
    scheduler: repaired.config,
    noise,
    state: { channels: vae.module.info.channels, factor },
    usual: { size: { width, height }, steps, guidance },
    multiple: factor * denoiser.module.info.multiple,
    notes: UNUSED.filter((part) => checkpoint.components.has(part)).map((part) => `${part} of the checkpoint is not run`),
    evidence: [...checkpoint.evidence, ...weightsOf(denoiser, vae), ...repaired.evidence, ...evidence, ...ofSize],
    dispose: async () => {
      await predict.dispose();
      await coder.dispose();
    },
  };
}

/** What was found out about the weights of several components. */
export function weightsOf(...loaded: readonly Loaded<unknown>[]) {
  return loaded.flatMap(weightEvidence);
}
