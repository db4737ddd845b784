// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { CliCommand } from '../define-command.ts';
import { dataCommand } from './data/index.ts';
import { decodeCommand } from './decode.ts';
import { encodeCommand } from './encode.ts';
import { evaluateCommand } from './evaluate.ts';
import { exportCommand } from './export.ts';
import { generateCommand } from './generate.ts';
import { infoCommand } from './info.ts';
import { listCommand } from './list.ts';
import { sampleCommand } from './sample.ts';
import { splatCommand } from './splat/index.ts';
import { trainCommand } from './train.ts';
import { trainJudgeCommand } from './train-judge.ts';

/** The commands of the program: one for each file or folder beside this one. */
export const commands: readonly CliCommand[] = [
  dataCommand,
  decodeCommand,
  encodeCommand,
  evaluateCommand,
  exportCommand,
  generateCommand,
  infoCommand,
  listCommand,
  sampleCommand,
  splatCommand,
  trainCommand,
  trainJudgeCommand,
];
