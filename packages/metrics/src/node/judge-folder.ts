import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '@langevin/io';
import { makeFolder, readBytes, readJson, writeFileAtomic } from '@langevin/io/node';
import { fromStateDict, shapesOnly, toStateDict } from '@langevin/nn';
import { toFloat16Bits, UserError, type Engine } from '@langevin/tensor';
import { makeJudge, type Judge } from '../judges/judge.ts';
import { judgeNetwork, type JudgeParams } from '../judges/network.ts';
import { parseJudgeRecord, type JudgeRecord } from '../judges/record.ts';

/** Files of a judge's folder. */
export const JUDGE_FILES = { record: 'judge.json', weights: 'model.safetensors' } as const;
const MOST_BYTES = 512 * 1024 * 1024;

export interface LoadJudgeOptions {
  /** @default the default engine */
  readonly engine?: Engine | undefined;
}

/**
 * The judge of a folder: `judge.json` says what it is, `model.safetensors` holds its weights, whose SHA-256 has to be that of the record.
 *
 * @throws UserError when a file is missing or damaged, or the weights are others than the record's
 * @example
 * // not run: needs a judge in a folder
 * const judge = await loadJudge('models/judges/mnist');
 * judge.record.sha256;
 */
export async function loadJudge(folder: string, { engine }: LoadJudgeOptions = {}): Promise<Judge> {
  const record = parseJudgeRecord(await readJson(join(folder, JUDGE_FILES.record)), join(folder, JUDGE_FILES.record));
  const path = join(folder, JUDGE_FILES.weights);
  const bytes = await readBytes(path, { maxBytes: MOST_BYTES });
  const hash = await sha256(bytes);
  if (hash !== record.sha256)
    throw new UserError(
      `[metrics/judge] weights are not those of the record: path=${path}, sha256=${hash}, record=${record.sha256}. Get the judge anew.`,
    );
  const entries = decodeSafetensors(bytes, path).tensors;
  const params = fromStateDict(judgeNetwork(record.architecture, record.head).init(shapesOnly), entries, { from: path, floats: 'stored' });
  return makeJudge({ record, params, engine });
}

/**
 * Writes a judge's folder, with weights in float16, and gives the record with their hash.
 *
 * @throws UserError when a weight does not fit float16, or the disk fails
 */
export async function saveJudge(
  folder: string,
  { record, params }: { readonly record: Omit<JudgeRecord, 'sha256'>; readonly params: JudgeParams },
): Promise<JudgeRecord> {
  const tensors = new Map(
    [...(await toStateDict(params))].map(([name, { shape, data }]) => {
      const bits = Uint16Array.from(data as Float32Array, toFloat16Bits);
      if (bits.some((value) => (value & 0x7c00) === 0x7c00))
        throw new UserError(`[metrics/judge] weight is too large for float16: name=${name}. Train it with stronger weight decay.`);
      return [name, { dtype: 'float16', shape, data: bits }] as const;
    }),
  );
  const bytes = encodeSafetensors(tensors, { metadata: { judge: record.name } });
  const complete = parseJudgeRecord({ ...record, sha256: await sha256(bytes) }, 'the new record');
  await makeFolder(folder);
  await writeFileAtomic(join(folder, JUDGE_FILES.weights), bytes);
  await writeFileAtomic(join(folder, JUDGE_FILES.record), `${JSON.stringify(complete, undefined, 1)}\n`);
  return complete;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
