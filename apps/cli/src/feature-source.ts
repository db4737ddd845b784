import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { openOnnxNetwork } from '@langevin/engine-onnxruntime';
import { pictureFeatures, type FeatureExtractor, type Judge, type PictureInput } from '@langevin/metrics';
import { JUDGE_FILES, loadJudge } from '@langevin/metrics/node';
import { UserError, type Engine } from '@langevin/tensor';

/** Judges that come as a package. */
export const JUDGES = ['mnist', 'cifar10', 'emoji'] as const;
const PACKAGE = '@langevin/model-judges';

export interface FeatureSourceOptions {
  /** A judge's name or folder, an ONNX file, or `pixels`. */
  readonly features: string;
  /** What an ONNX network takes. */
  readonly input?: Readonly<Record<string, unknown>> | undefined;
  /** Which output of an ONNX network. @default the only one */
  readonly output?: string | undefined;
  readonly engine: Engine;
  readonly threads?: number | undefined;
}

/** What pictures are compared in, for as long as the work lasts. @throws UserError when it is not known or does not fit */
export async function withFeatures<T>(
  options: FeatureSourceOptions,
  work: (extractor: FeatureExtractor | Judge) => Promise<T>,
): Promise<T> {
  const { features, engine, threads } = options;
  if (features === 'pixels') return work(pixels());
  if (extname(features).toLowerCase() === '.onnx') {
    const network = await openOnnxNetwork(features, threads === undefined ? {} : { threads });
    try {
      const run = (batch: Parameters<typeof network.run>[0]) => network.run(batch, options.output);
      const layer = options.output ?? network.outputs[0]?.name ?? 'output';
      return await work(pictureFeatures({ name: features, hash: network.hash, layer, input: inputOf(options), network: run, batch: 32 }));
    } finally {
      await network.dispose();
    }
  }
  const judge = await loadJudge(judgeFolder(features), { engine });
  return work(judge).finally(() => judge.dispose());
}

/** Pixels of pictures made small: a beginning, where there is no judge. The time of a Frechet distance grows with the cube of the width. */
function pixels(): FeatureExtractor {
  const side = 8;
  return pictureFeatures({
    name: 'pixels',
    hash: 'none',
    layer: 'none',
    pool: 'flatten',
    input: { width: side, height: side, channels: 'rgb', resize: 'area' },
    network: ({ data, shape }) => Promise.resolve({ data, shape: [shape[0]!, 3 * side * side] }),
  });
}

function inputOf({ features, input }: FeatureSourceOptions): PictureInput {
  if (input?.['width'] !== undefined && input['height'] !== undefined && input['resize'] !== undefined)
    return input as unknown as PictureInput;
  throw new UserError(
    `[cli/evaluate] it is not said what the network takes: --features ${features}. Give width, height and resize, and what differs from `
      + 'RGB in -1..1, such as --input width=299 --input height=299 --input resize=bilinear-tf1 --input range=[0,255].',
  );
}

function judgeFolder(name: string): string {
  if (existsSync(join(name, JUDGE_FILES.record))) return name;
  try {
    return dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/${name}/${JUDGE_FILES.record}`));
  } catch (cause) {
    throw new UserError(
      `[cli/evaluate] unknown features: --features ${name}. Known: ${JUDGES.join(', ')} (of ${PACKAGE}), pixels; or give the folder of a `
        + 'judge, or an .onnx file.',
      { cause },
    );
  }
}
