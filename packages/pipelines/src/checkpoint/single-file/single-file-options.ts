import type { CheckpointFiles } from '../files.ts';
import type { Architecture } from './architecture.ts';

export interface SingleFileOptions {
  /** Which of two sets of weights of the denoiser is taken, where the file has a moving average too. @default 'raw' */
  readonly weights?: 'raw' | 'ema';
  /** What the network predicts. @default what the file says, or the configuration beside it, else the usual of its product */
  readonly prediction?: 'epsilon' | 'v' | 'x0';
  /** Which product it is. @default what the shapes say */
  readonly architecture?: Architecture;
  /** A folder in the layout of diffusers for what the file lacks: tokenizers, and configurations that go before those told from shapes. */
  readonly config?: CheckpointFiles;
}

/** Every option, or the compiler complains. */
export const SINGLE_FILE_OPTIONS = Object.keys({
  weights: 0,
  prediction: 0,
  architecture: 0,
  config: 0,
} satisfies Record<keyof SingleFileOptions, 0>);
