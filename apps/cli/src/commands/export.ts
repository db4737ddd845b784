import { join, resolve } from 'node:path';
import { readdir, stat } from 'node:fs/promises';
import { graphToOnnxFiles, onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { makeFolder, readJson, writeFileAtomic } from '@langevin/io/node';
import {
  describeCheckpoint,
  isAutoencoderConfig,
  loadRunModel,
  onnxParts,
  openModel,
  saveDiffusionFolder,
  type RunWeights,
  type WeightDType,
} from '@langevin/pipelines';
import { UserError } from '@langevin/tensor';
import { RUN_FILES } from '@langevin/training';
import { Option, type Command } from 'commander';
import { integer, pictureSides } from '../arguments.ts';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';

import { showBytes, showCount } from '../table.ts';
import { line } from '../terminal.ts';

interface ExportOptions {
  readonly weights: RunWeights;
  readonly dtype: WeightDType;
  readonly force?: true;
  readonly json?: true;
  readonly onnx?: true;
  readonly size?: string;
  readonly batch: number;
}

const AFTER_HELP = `
Examples:
  langevin export runs/emoji models/emoji --dtype float16
  langevin export runs/emoji /tmp/raw --weights params --dtype float32
  langevin export stable-diffusion-v1-5 sd15-onnx --onnx --size 512x512

The result has the layout of diffusers (unet/, scheduler/, model_index.json) and labels.json, which names the classes.`;

export const exportCommand: CliCommand = defineCommand({ name: 'export', add: addExport });

function addExport(program: Command, terminal: CommandContext): void {
  program
    .command('export')
    .description("Write the model of a training run's newest checkpoint as a folder that can be sampled from.")
    .argument('<run>', 'folder of the run, or of one of its checkpoints; with --onnx a checkpoint that makes pictures: folder, file or id')
    .argument('<out>', 'folder to write')
    .addOption(
      new Option('--weights <which>', 'the moving average, which samples better, or the trained parameters themselves')
        .choices(['average', 'params'])
        .default('average'),
    )
    .addOption(new Option('--dtype <dtype>', 'float16 halves the file').choices(['float16', 'float32']).default('float32'))
    .option('--force', 'write into a folder that is not empty, over a model that is there')
    .option('--onnx', 'write the text encoders, the network and the decoder of a checkpoint as standard ONNX, one folder each')
    .option('--size <WxH>', 'with --onnx: pixels of the pictures, as 640x512 (default: the usual of the model)')
    .option('--batch <n>', 'with --onnx: items at once; guidance compares two', integer(1, 64), 1)
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP)
    .action(async (run: string, out: string, options: ExportOptions) => {
      if (options.onnx) return exportOnnx(run, out, { ...options, terminal });
      const { registries } = terminal;
      const { backbones, autoencoders } = registries;
      await refuseAutoencoder(run);
      const { model, name, step, credits } = await loadRunModel(run, {
        ...{ weights: options.weights, backbones, autoencoders },
        noiseParts: registries,
      });
      if (!options.force) await requireEmpty(out);
      await saveDiffusionFolder(out, model, {
        dtype: options.dtype,
        ...(credits && { credits }),
        metadata: { run: name, step: String(step), weights: options.weights },
      });
      const { file, elements } = await describeCheckpoint(out);
      const { size } = await stat(file);
      const result = {
        out: resolve(out),
        run: name,
        step,
        weights: options.weights,
        dtype: options.dtype,
        parameters: elements,
        bytes: size,
      };
      if (options.json) return line(terminal, JSON.stringify(result));
      line(
        terminal,
        `wrote ${result.out}: ${name} at step ${step}, ${showCount(elements)} parameters as ${options.dtype}, ${showBytes(size)}`,
      );
    });
}

/** Of an autoencoder the training itself writes the folder, since the statistics of its latents need the data. */
async function refuseAutoencoder(run: string): Promise<void> {
  const file = join(run, RUN_FILES.config);
  if (!(await readJson(file).then(isAutoencoderConfig, () => false))) return;
  throw new UserError(
    `[cli/export] run trains an autoencoder, whose folder it writes at its end: run=${run}. Take `
      + `${join(run, 'autoencoder')}; of a run that was stopped, go on with --resume --steps <its step>.`,
  );
}

/** A model that is in the way may be the only one of its kind. Whatever else is wrong with the path, writing tells. */
async function requireEmpty(out: string): Promise<void> {
  const entries = await readdir(out).catch(() => []);
  if (entries.length === 0) return;
  throw new UserError(
    `[cli/export] folder is not empty: out=${out}, found=${entries.slice(0, 3).join(', ')}. Choose another one, or write into it with `
      + '--force.',
  );
}

/** Each part of a checkpoint as `<part>/model.onnx`, its weights beside it. */
async function exportOnnx(
  from: string,
  out: string,
  { size, batch, force, json, terminal }: Pick<ExportOptions, 'size' | 'batch' | 'force' | 'json'> & { readonly terminal: CommandContext },
): Promise<void> {
  if (!force) await requireEmpty(out);
  const engine = await onnxruntimeEngine({ device: 'cpu' });
  const model = await openModel(from, { engine });
  try {
    const written = [];
    for (const { name, graph, inputs, outputs } of await onnxParts(model, { ...pictureSides(size, 'export'), batch })) {
      const files = await graphToOnnxFiles(graph, { location: 'model.onnx_data', inputNames: inputs, outputNames: outputs });
      const folder = join(out, name);
      await makeFolder(folder);
      await writeFileAtomic(join(folder, 'model.onnx_data'), files.data());
      await writeFileAtomic(join(folder, 'model.onnx'), files.model);
      const { size: bytes } = await stat(join(folder, 'model.onnx_data'));
      written.push({ name, inputs, outputs, bytes: bytes + files.model.byteLength });
    }
    if (json) return line(terminal, JSON.stringify({ out: resolve(out), model: from, parts: written }));
    for (const { name, inputs, outputs, bytes } of written)
      line(terminal, `wrote ${join(resolve(out), name)}: ${inputs.join(', ')} to ${outputs[0]!}, ${showBytes(bytes)}`);
  } finally {
    await model.dispose();
    await engine.dispose();
  }
}
