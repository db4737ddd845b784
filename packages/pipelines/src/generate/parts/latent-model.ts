import { joinedChannels } from '@langevin/backbones';
import type { Network } from '@langevin/core';
import { networkDenoiser } from '@langevin/diffusion';
import { fromDiffusersConfig } from '@langevin/samplers/compat';
import { componentOf, type Checkpoint } from '../../checkpoint/checkpoint.ts';
import { repairScheduler } from '../../checkpoint/repair-scheduler.ts';
import { noiseOfScheduler } from '../../checkpoint/scheduler-noise.ts';
import type { OpenOptions, OpenProduct, WithParams } from '../product.ts';
import { ownOutput } from '../scheduler-run.ts';
import { openControls, steeredNetwork } from '../steer/open-controls.ts';
import { openImagePrompts } from '../steer/open-image-prompts.ts';
import { latentCoder } from './latent-coder.ts';
import type { LoadedParts } from './load-parts.ts';
import { pictureSide } from './picture-side.ts';

/** What diffusers runs where it is there, and these pictures go without. */
const UNUSED = ['safety_checker', 'watermark'] as const;
/** What a network for inpainting is told beside the state: the mask, and the latents of the rest. */
const MASK_CHANNELS = 1;

export interface LatentModelOptions {
  readonly checkpoint: Checkpoint;
  readonly parts: LoadedParts;
  /** What its user decided. */
  readonly given: OpenOptions;
  /** Of the product, for the report. */
  readonly name: string;
  /** The side of latents where a configuration does not say one, or says a wrong one as early files do. */
  readonly side: number;
  readonly steps: number;
  readonly guidance: number;
}

/** What all products of latents have in common: a network, an autoencoder, and a scheduler that says what the network was trained on. */
export async function latentModel(options: LatentModelOptions): Promise<Omit<OpenProduct, 'encodePrompts' | 'clipSkip'>> {
  const { checkpoint, parts, given, name, side: early, steps, guidance } = options;
  const { network, autoencoder } = parts;
  const { prediction, engine } = given;
  const { controls, evidence: ofControls } = await openControls(checkpoint, given);
  const filled = fromDiffusersConfig(componentOf(checkpoint, 'scheduler').config);
  const repaired = repairScheduler({ _class_name: filled.className, ...filled.config }, checkpoint.index!.className);
  const { noise, evidence } = noiseOfScheduler(repaired.config, prediction === undefined ? {} : { prediction });
  const { channels, factor: factors } = autoencoder.module.info;
  const factor = factors[0]!;
  const { width, height, evidence: ofSize } = pictureSide(network, { factor, early });
  const onEngine = engine ? { engine } : {};
  const { network: prompted, imagePrompts } = await openImagePrompts(network, checkpoint, given);
  const told = toldTheMask(prompted, channels);
  const { module, params } = steeredNetwork(told, controls);
  const predict = networkDenoiser({ network: module, params, noise: { preconditioning: ownOutput }, ...onEngine });
  const coder = latentCoder(autoencoder, onEngine);
  return {
    name,
    label: checkpoint.files.label,
    network: { module, params },
    checkpoint,
    weights: new Map([network, ...parts.texts.values(), ...parts.coder].map((part) => [part.component.name, part.params] as const)),
    autoencoder,
    predict,
    coder,
    ...onEngine,
    scheduler: repaired.config,
    noise,
    state: { channels, factor },
    guidedBy: module.info.conditions['guidance'] === undefined ? 'cfg' : 'condition',
    fills: told === prompted ? 'blended' : 'joined',
    prompts: 'taken',
    partialStep: 'skipped',
    controls,
    imagePrompts,
    adapters: parts.adapters,
    embeddings: parts.embeddings,
    usual: { size: { width, height }, steps, guidance },
    multiple: factor * module.info.multiple,
    notes: UNUSED.filter((part) => checkpoint.components.has(part)).map((part) => `${part} of the checkpoint is not run`),
    evidence: [...checkpoint.evidence, ...parts.evidence, ...ofControls, ...repaired.evidence, ...evidence, ...ofSize],
    memory: given.memory ?? 'keep',
    release: async (part) => {
      if (part === 'network') await predict.dispose();
      if (part === 'autoencoder') await coder.dispose();
    },
    dispose: async () => {
      await predict.dispose();
      await coder.dispose();
      for (const { file } of [network, ...parts.texts.values(), ...parts.coder]) await file.close();
    },
  };
}

/** A network that takes the mask and the latents of the rest beside the state, as one that is told them; any other as it is. */
function toldTheMask(network: WithParams<Network<unknown>>, channels: number): WithParams<Network<unknown>> {
  const joined = channels + MASK_CHANNELS;
  if (network.module.info.channels !== channels + joined) return network;
  return { module: joinedChannels(network.module, { channels: joined }), params: network.params };
}
