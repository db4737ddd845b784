import { pickFromData, type Image } from '@langevin/io';
import { openData, prepareOutputFile } from '@langevin/io/node';
import { loadAutoencoderFolder, pictureCoder, writeLatents } from '@langevin/pipelines';
import { float32Data, UserError } from '@langevin/tensor';
import type { Command } from 'commander';
import { integer } from '../arguments.ts';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { addEngineOptions, withEngine, type EngineOptions } from '../engines.ts';
import { isPictureSource, loadPictures } from '../picture-source.ts';
import { showProgress } from '../progress.ts';
import { line } from '../terminal.ts';
import { prepare, withFetching, type FetchingOptions } from './data/fetching.ts';

interface EncodeOptions extends EngineOptions, FetchingOptions {
  readonly autoencoder: string;
  readonly out: string;
  readonly count: number;
  readonly batch: number;
}

const AFTER_HELP = `
Examples:
  langevin encode photographs/ --autoencoder runs/emoji-f4/autoencoder --out latents.safetensors
  langevin encode emoji --set size=32 --count 100 --autoencoder stable-diffusion-v1-5 --out latents.safetensors

The file holds "latents", float32 [N, channels, h, w], shifted and scaled as they are diffused over, and the hash of the autoencoder. Of a
posterior it is the mode. Pictures have to be of one size.`;

export const encodeCommand: CliCommand = defineCommand({ name: 'encode', add: addEncode });

function addEncode(program: Command, terminal: CommandContext): void {
  const command = withFetching(
    program
      .command('encode')
      .description('Write the latents of pictures by an autoencoder.')
      .argument('<pictures>', 'a data set of "langevin data list", or a folder or zip of pictures')
      .requiredOption('--autoencoder <folder>', 'what "langevin train" wrote, or a folder of diffusers with config.json or vae/')
      .requiredOption('--out <file>', 'safetensors file to write'),
  )
    .option('--count <n>', 'at most so many pictures, the first ones', integer(1, 1e7), 1e7)
    .option('--batch <n>', 'pictures at a time', integer(1, 4096), 16)
    .addHelpText('after', AFTER_HELP);
  addEngineOptions(command).action((pictures: string, options: EncodeOptions) => encode(pictures, options, terminal));
}

async function encode(from: string, options: EncodeOptions, terminal: CommandContext): Promise<void> {
  await prepareOutputFile(options.out);
  const { autoencoders } = terminal.registries;
  const loaded = await loadAutoencoderFolder(options.autoencoder, { autoencoders });
  const { count, load, names } = await source(from, options, terminal);
  await withEngine(options, async (engine) => {
    const coder = pictureCoder(loaded, { engine });
    const { inputs } = loaded.autoencoder.info;
    const progress = showProgress(terminal, { name: 'encoding', unit: 'picture', total: count });
    const parts: Float32Array[] = [];
    let shape: readonly number[] = [];
    try {
      for (let at = 0; at < count; at += options.batch) {
        terminal.signal.throwIfAborted();
        const latents = await coder.encode((await load(at, Math.min(count, at + options.batch))).map((image) => ofChannels(image, inputs)));
        parts.push(await float32Data(latents, { engine }));
        shape = latents.shape.slice(1);
        progress.update(Math.min(count, at + options.batch), '');
      }
    } finally {
      progress.stop();
      await coder.dispose();
    }
    const data = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
    parts.reduce((at, part) => (data.set(part, at), at + part.length), 0);
    const [channels = 0, height = 0, width = 0] = shape;
    await writeLatents(options.out, { data, shape: [count, channels, height, width], names }, loaded);
    if (options.json)
      return line(terminal, JSON.stringify({ out: options.out, count, channels, height, width, autoencoder: loaded.sha256 }));
    line(terminal, `wrote ${options.out}: ${count} latents of ${channels} x ${height} x ${width}`);
  });
}

/** A set of pictures that is grey in all of it is of one channel: for an autoencoder of colours it is grey in three. */
function ofChannels(image: Image, channels: number): Image {
  if (image.channels !== 1 || channels !== 3) return image;
  return { ...image, channels, data: Uint8Array.from({ length: 3 * image.data.length }, (_, i) => image.data[Math.floor(i / 3)]!) };
}

interface Pictures {
  readonly count: number;
  readonly load: (from: number, to: number) => Promise<readonly Image[]>;
  readonly names: readonly string[];
}

async function source(from: string, options: EncodeOptions, terminal: CommandContext): Promise<Pictures> {
  if (await isPictureSource(from)) {
    const images = await loadPictures(from, { count: options.count, signal: terminal.signal, progress: () => {} });
    return { count: images.length, load: async (start, end) => images.slice(start, end), names: images.map((_, i) => String(i)) };
  }
  const { config, options: opening } = await prepare(from, options, terminal);
  const { source: opened } = await openData(config, opening);
  if (opened.kind !== 'picture')
    throw new UserError(`[cli/encode] data are not pictures: data=${from}, kind=${opened.kind}. Choose one of "langevin data list".`);
  const count = Math.min(options.count, opened.length);
  const chosen = pickFromData(
    opened,
    Array.from({ length: count }, (_, i) => i),
  );
  return {
    count,
    load: (start, end) =>
      Promise.all(
        Array.from({ length: end - start }, async (_, i) => {
          const item = await chosen.load(start + i);
          if (item.kind !== 'picture') throw new UserError(`[cli/encode] item is no picture: item=${item.name}. Choose other data.`);
          return item.image;
        }),
      ),
    names: Array.from({ length: count }, (_, i) => chosen.about(i).name),
  };
}
