import { join } from 'node:path';
import { makeFolder } from '@langevin/io/node';

/** Where the files of one run lie. */
export interface RunFolder {
  readonly root: string;
  /** The configuration the run was last started or resumed with. */
  readonly config: string;
  /** What the run is trained on: names of classes and items, and what their pixels hash to. */
  readonly data: string;
  /** One line of JSON for each logged step: the same for every run of this configuration. */
  readonly log: string;
  /** One line of JSON for each logged step: wall-clock figures of this machine. */
  readonly timings: string;
  readonly report: string;
  readonly previews: string;
  readonly checkpoints: string;
}

export function runFolder(root: string): RunFolder {
  return {
    root,
    config: join(root, 'config.json'),
    data: join(root, 'data.json'),
    log: join(root, 'log.jsonl'),
    timings: join(root, 'timings.jsonl'),
    report: join(root, 'report.html'),
    previews: join(root, 'previews'),
    checkpoints: join(root, 'checkpoints'),
  };
}

/** @throws UserError when the folder is a file, or nothing can be written there */
export async function createRunFolder(root: string): Promise<RunFolder> {
  const folder = runFolder(root);
  for (const path of [root, folder.previews, folder.checkpoints]) await makeFolder(path);
  return folder;
}

/** `step-00001000`: sorts by step. */
export function stepName(step: number): string {
  return `step-${String(step).padStart(8, '0')}`;
}

/** The step of a checkpoint's folder name, or undefined for other names. */
export function stepOfName(name: string): number | undefined {
  const match = /^step-(\d{8,})$/.exec(name);
  return match ? Number(match[1]) : undefined;
}
