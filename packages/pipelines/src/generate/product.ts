import type { Autoencoder, Conditions, Network } from '@langevin/core';
import type { NetworkDenoiser, NoiseRecipe } from '@langevin/diffusion';
import type { DiffusersScheduler } from '@langevin/samplers/compat';
import type { Engine, Tensor } from '@langevin/tensor';
import type { AdapterFile } from '../adapters/open-adapter.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { Evidence } from '../checkpoint/evidence.ts';
import type { CheckpointFiles } from '../checkpoint/files.ts';
import type { HubOptions } from '../checkpoint/hub/hub-options.ts';
import type { SchedulerNoiseOptions } from '../checkpoint/scheduler-noise.ts';
import type { ClipSkipCount } from './prompt-options.ts';
import type { PromptForm } from './prompts/clip-prompts.ts';
import type { LatentCoder } from './parts/latent-coder.ts';
import type { OpenControl } from './steer/open-controls.ts';
import type { OpenImagePrompt } from './steer/open-image-prompts.ts';

/** What the prompts of some pictures are told to a product, one each. */
export interface PromptRequest {
  readonly prompts: readonly string[];
  /** What the pictures are to be led away from; absent where no guidance is asked for. */
  readonly negatives?: readonly (string | undefined)[];
  /** Layers of the text encoder that are left out, counted from its end. */
  readonly clipSkip?: number;
  /** How it counts them. @default 'diffusers' */
  readonly clipSkipAs?: ClipSkipCount;
  /** How the texts are read, by models that take it. @default as they are, each cut to one window */
  readonly form?: PromptForm;
  /** Pixels of the pictures to be made: some networks are told. */
  readonly size: PictureSize;
  readonly signal?: AbortSignal;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What a network is told for some prompts. */
export interface PromptConditions {
  readonly conditions: Conditions;
  /** In place of the prompts; where guidance is asked for. */
  readonly negatives?: Conditions;
  /** What a user should know: text that did not fit. */
  readonly notes: readonly string[];
}

/** A network and its parameters. */
export interface WithParams<M> {
  readonly module: M;
  /** Floats of any dtype, as their file has them. */
  readonly params: unknown;
}

/**
 * A checkpoint with its parts built, by the recipe of its product: Stable Diffusion, SDXL, SD3, Flux, PixArt. All that differs between them
 * is here; the loop that makes pictures knows none of them.
 */
export interface OpenProduct {
  /** Of the product: `stable-diffusion`. */
  readonly name: string;
  /** Where the checkpoint lies, as its user named it. */
  readonly label: string;
  readonly network: WithParams<Network<unknown>>;
  /** The checkpoint that it was opened from. */
  readonly checkpoint: Checkpoint;
  /** The weights of each component that has any, with adapters added, by its name. */
  readonly weights: ReadonlyMap<string, unknown>;
  readonly autoencoder: WithParams<Autoencoder<unknown>>;
  /** The network's own output under conditions, compiled once for each shape and kept for the next call. */
  readonly predict: NetworkDenoiser<unknown>;
  readonly coder: LatentCoder;
  /** Where it runs. @default the default engine */
  readonly engine?: Engine;
  /** The configuration of its scheduler, as diffusers reads it; defaults filled in, early files repaired. */
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** What the network was trained on, and what it predicts. */
  readonly noise: NoiseRecipe;
  /** Whether a call says what is to be seen. */
  readonly prompts: 'taken' | 'none';
  /** Whether a call may leave out layers of its text encoder. */
  readonly clipSkip: 'taken' | 'refused';
  /** Whether it reads prompts with weights and in several windows. @default it does not */
  readonly promptForms?: 'taken';
  readonly encodePrompts: (request: PromptRequest) => Promise<PromptConditions>;
  /** Channels of the state, and by what pixels are divided for its sides. */
  readonly state: { readonly channels: number; readonly factor: number };
  /** Makes the timesteps of a scheduler. @default by their number alone */
  readonly setTimesteps?: (scheduler: DiffusersScheduler<Tensor>, options: { readonly steps: number; readonly size: PictureSize }) => void;
  /**
   * How guidance works: `cfg` compares two predictions; a network that was distilled is told the scale itself, as a `condition`.
   */
  readonly guidedBy: 'cfg' | 'condition';
  /**
   * How the parts of a picture under a mask are made anew: a network made for it is told the rest, `joined` to its input; any other has the
   * rest `blended` in after each step.
   */
  readonly fills: 'joined' | 'blended';
  /** What becomes of the part of a step by which steps times strength is above a whole number, as the pipelines of diffusers differ. */
  readonly partialStep: 'skipped' | 'run';
  /** What steers the network by pictures, in the order in which a call has their pictures. */
  readonly controls: readonly OpenControl[];
  /** What is prompted by pictures, in the order in which a call has them. */
  readonly imagePrompts: readonly OpenImagePrompt[];
  /** What was added to the weights. */
  readonly adapters: readonly UsedAdapter[];
  /** The words that were added. */
  readonly embeddings: readonly UsedEmbedding[];
  /** What is taken where a call does not say it. */
  readonly usual: { readonly size: PictureSize; readonly steps: number; readonly guidance: number };
  /** Sides of pictures are multiples of it. */
  readonly multiple: number;
  /** What a user of its pictures should know: parts of the checkpoint that are not used. */
  readonly notes: readonly string[];
  /** What was decided while the checkpoint was opened, and why. */
  readonly evidence: readonly Evidence[];
  /** Whether what a part needs is kept from one call to the next, or released as soon as the part has done its work. */
  readonly memory: MemoryMode;
  /** Frees the compiled graphs of a part, with its weights in them; they are made again when it is used again. */
  readonly release: (part: ModelPart) => Promise<void>;
  /** Frees compiled graphs, and closes files. */
  readonly dispose: () => Promise<void>;
}

/** A LoRA or one of its relatives that is to be added to the weights. */
export interface AdapterChoice {
  /** A `.safetensors` file, a folder that has one, the id of a model on a hub, or a file that is open. */
  readonly from: string | AdapterFile;
  /** A name of its own. @default that of the file */
  readonly name?: string;
  /** How strongly it is added: any number, or one for each component. @default 1 */
  readonly strength?: number | Readonly<Record<string, number>>;
}

/** An adapter that was added. */
export interface UsedAdapter {
  readonly name: string;
  readonly from: string;
  readonly strength: number | Readonly<Record<string, number>>;
}

/** A word that text encoders are to know, by textual inversion (Gal et al. 2022, arXiv:2208.01618). */
export interface EmbeddingChoice {
  /** A `.safetensors` file, a folder that has one, the id of a model on a hub, or a file that is open. */
  readonly from: string | AdapterFile;
  /** As it is written in prompts. @default what the file says, else its name */
  readonly token?: string;
}

/** A word that was added. */
export interface UsedEmbedding {
  readonly token: string;
  readonly from: string;
}

/** A network that is to steer the pictures by one of their own: a ControlNet or a T2I-Adapter. */
export interface ControlChoice {
  /** The folder of its `config.json`, the id of a model on a hub, or files from elsewhere. */
  readonly from: string | CheckpointFiles;
}

/** An IP-Adapter, which prompts by pictures (Ye et al. 2023, arXiv:2308.06721). */
export interface ImagePromptChoice {
  /** A `.safetensors` file, a folder that has one, the id of a model on a hub, or a file that is open. */
  readonly from: string | AdapterFile;
  /** Where its image encoder is: the folder of its `config.json`. @default that of the checkpoint */
  readonly encoder?: string | CheckpointFiles;
}

/** The parts of a model that do their work one after the other. */
export const modelParts = ['text encoders', 'network', 'autoencoder'] as const;
export type ModelPart = (typeof modelParts)[number];

/**
 * `keep` holds what was compiled of all parts for the next call. `load-and-release` compiles a part, which takes its weights out of their
 * files, when its work begins, and frees it when that is done: the peak is that of the largest part, and each call compiles anew.
 */
export const memoryModes = ['keep', 'load-and-release'] as const;
export type MemoryMode = (typeof memoryModes)[number];

/** What a user decides whatever the files say, and where graphs run. */
export interface OpenOptions extends SchedulerNoiseOptions {
  /** @default none */
  readonly adapters?: readonly AdapterChoice[];
  /** @default none */
  readonly embeddings?: readonly EmbeddingChoice[];
  /** @default those of the checkpoint */
  readonly controls?: readonly ControlChoice[];
  /** @default none */
  readonly imagePrompts?: readonly ImagePromptChoice[];
  /** How a hub is asked, where something is named by the id of a model. @default as Python's `huggingface_hub` is told by variables */
  readonly hub?: HubOptions;
  /** @default the default engine */
  readonly engine?: Engine;
  /** @default 'keep' */
  readonly memory?: MemoryMode;
}

/** A kind of checkpoint whose pictures are made in one way. */
export interface Product {
  readonly name: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** Classes of `model_index.json` that are of this kind. */
  readonly pipelines: readonly string[];
  readonly open: (checkpoint: Checkpoint, options?: OpenOptions) => Promise<OpenProduct>;
}
