import { join } from 'node:path';
import { imageGrid, type Image } from '@langevin/io';
import { makeFolder, writeImage } from '@langevin/io/node';
import { decodings, loadAutoencoderFolder, pictureCoder, readLatents, type Decoding } from '@langevin/pipelines';
import { tensor } from '@langevin/tensor';
import { Option, type Command } from 'commander';
import { integer } from '../arguments.ts';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { addEngineOptions, withEngine, type EngineOptions } from '../engines.ts';
import { preparePicture } from '../picture-output.ts';
import { showProgress } from '../progress.ts';
import { line } from '../terminal.ts';

interface DecodeOptions extends EngineOptions {
  readonly autoencoder: string;
  readonly out?: string;
  readonly folder?: string;
  readonly columns: number;
  readonly batch: number;
  readonly decoding: Decoding;
  readonly json?: true;
}

const AFTER_HELP = `
Examples:
  langevin decode latents.safetensors --autoencoder runs/emoji-f4/autoencoder --out sheet.png
  langevin decode latents.safetensors --autoencoder stable-diffusion-v1-5 --folder pictures`;

export const decodeCommand: CliCommand = defineCommand({ name: 'decode', add: addDecode });

function addDecode(program: Command, terminal: CommandContext): void {
  const command = program
    .command('decode')
    .description('Make pictures of latents by the autoencoder that they are of.')
    .argument('<latents>', 'safetensors file of "langevin encode"')
    .requiredOption('--autoencoder <folder>', 'what "langevin train" wrote, or a folder of diffusers with config.json or vae/')
    .option('--out <picture>', 'one sheet of all pictures (default: decoded.png, unless there is --folder)')
    .option('--folder <folder>', 'a picture each, named by their numbers')
    .option('--columns <n>', 'of the sheet', integer(1, 1000), 8)
    .option('--batch <n>', 'pictures at a time', integer(1, 4096), 16)
    .addOption(
      new Option('--decoding <how>', 'whole pictures; in bands, with the same result; or in tiles that are blended, with the least memory')
        .choices([...decodings])
        .default('whole'),
    )
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP);
  addEngineOptions(command).action((latents: string, options: DecodeOptions) => decode(latents, options, terminal));
}

async function decode(path: string, options: DecodeOptions, terminal: CommandContext): Promise<void> {
  const { folder, columns, batch } = options;
  const sheet = options.out ?? (folder === undefined ? 'decoded.png' : undefined);
  if (sheet !== undefined) await preparePicture(sheet, 'decode');
  if (folder !== undefined) await makeFolder(folder);
  const { autoencoders } = terminal.registries;
  const loaded = await loadAutoencoderFolder(options.autoencoder, { autoencoders });
  const { data, shape } = await readLatents(path, loaded);
  const [count, ...latent] = shape;
  const size = data.length / count;
  await withEngine(options, async (engine) => {
    const coder = pictureCoder(loaded, { engine });
    const progress = showProgress(terminal, { name: 'decoding', unit: 'picture', total: count });
    const images: Image[] = [];
    try {
      for (let at = 0; at < count; at += batch) {
        terminal.signal.throwIfAborted();
        const end = Math.min(count, at + batch);
        const made = await coder.decode(tensor(data.slice(at * size, end * size), { shape: [end - at, ...latent] }), {
          decoding: options.decoding,
          signal: terminal.signal,
        });
        for (const [i, image] of made.entries()) {
          if (folder !== undefined) await writeImage(join(folder, `${String(at + i).padStart(5, '0')}.png`), image);
          if (sheet !== undefined) images.push(image);
        }
        progress.update(end, '');
      }
    } finally {
      progress.stop();
      await coder.dispose();
    }
    if (sheet !== undefined) await writeImage(sheet, imageGrid(images, { columns: Math.min(columns, count) }));
    const places = [sheet, folder].filter((place) => place !== undefined);
    if (options.json) return line(terminal, JSON.stringify({ out: places, count }));
    line(terminal, `wrote ${places.join(' and ')}: ${count} pictures`);
  });
}
