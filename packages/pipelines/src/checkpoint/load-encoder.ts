import { findAutoencoder, type AutoencoderPlugin } from '@langevin/latent-ae';
import {
  findImageEncoder,
  findTextEncoder,
  tokenizerFromFiles,
  type EncoderPlugin,
  type ImageEncoder,
  type TextEncoder,
  type TextTokenizer,
} from '@langevin/encoders';
import type { Autoencoder } from '@langevin/core';
import { parsePythonJson } from '@langevin/io';
import { UnsupportedError } from '@langevin/tensor';
import { naming } from '../naming.ts';
import { componentOf, type Checkpoint } from './checkpoint.ts';
import { within } from './files.ts';
import { loadComponent, type Loaded } from './load-network.ts';

/** A text encoder of a checkpoint. */
export async function loadTextEncoder(
  checkpoint: Checkpoint,
  name: string,
  plugins?: readonly EncoderPlugin[],
): Promise<Loaded<TextEncoder<unknown>>> {
  const component = componentOf(checkpoint, name);
  return loadComponent(checkpoint, component, findTextEncoder(component.className, plugins));
}

/** An image encoder of a checkpoint. */
export async function loadImageEncoder(
  checkpoint: Checkpoint,
  name: string,
  plugins?: readonly EncoderPlugin[],
): Promise<Loaded<ImageEncoder<unknown>>> {
  const component = componentOf(checkpoint, name);
  return loadComponent(checkpoint, component, findImageEncoder(component.className, plugins));
}

/** The autoencoder of a checkpoint. */
export async function loadAutoencoder(
  checkpoint: Checkpoint,
  name = 'vae',
  plugins?: readonly AutoencoderPlugin[],
): Promise<Loaded<Autoencoder<unknown>>> {
  const component = componentOf(checkpoint, name);
  return loadComponent(checkpoint, component, findAutoencoder(component.className, plugins));
}

/** A vocabulary of 250,000 words takes some 20 MB as JSON. */
const LARGEST_FILE = 64 * 1024 * 1024;

/** A tokenizer of a checkpoint, from the files in its folder. */
export async function loadTokenizer(checkpoint: Checkpoint, name: string): Promise<TextTokenizer> {
  const { files } = checkpoint;
  const { folder } = componentOf(checkpoint, name);
  const text = async (file: string): Promise<string | undefined> => {
    const path = within(folder, file);
    if (!files.sizes.has(path)) return undefined;
    return new TextDecoder().decode(await files.bytes(path, { maxBytes: LARGEST_FILE }));
  };
  const json = async (file: string): Promise<unknown> => {
    const content = await text(file);
    return content === undefined ? undefined : parsePythonJson(content, `[pipelines/checkpoint] ${files.label}/${within(folder, file)}`);
  };
  const [tokenizer, config, specialTokens, vocabulary, merges] = [
    await json('tokenizer.json'),
    await json('tokenizer_config.json'),
    await json('special_tokens_map.json'),
    await json('vocab.json'),
    await text('merges.txt'),
  ];
  if (tokenizer === undefined && vocabulary === undefined && files.sizes.has(within(folder, 'spiece.model')))
    throw new UnsupportedError(
      `[pipelines/checkpoint] tokenizer is there as SentencePiece's model alone: file=${files.label}/${within(folder, 'spiece.model')}. `
        + 'Write a tokenizer.json beside it: T5TokenizerFast.from_pretrained(folder).save_pretrained(folder) of transformers does.',
    );
  return naming(`${files.label}/${folder}`, () =>
    tokenizerFromFiles({
      ...(tokenizer !== undefined && { tokenizer }),
      ...(config !== undefined && { config }),
      ...(specialTokens !== undefined && { specialTokens }),
      ...(vocabulary !== undefined && { vocabulary }),
      ...(merges !== undefined && { merges }),
    }),
  );
}
