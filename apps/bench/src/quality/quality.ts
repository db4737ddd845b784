import { availableParallelism } from 'node:os';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { setDefaultEngine } from '@langevin/tensor';
import type { Evidence } from '../evidence/evidence.ts';
import { describeMachine } from '../machine.ts';
import { findPython } from '../torch-peer.ts';
import { evaluateData, EXTENTS, type DataFindings } from './evaluate.ts';
import { judgeOf } from './judge.ts';
import { qualityPage } from './page.ts';
import { stepParity, type StepParity } from './parity.ts';
import { stepTimes, type StepTimes } from './step-times.ts';
import { runConfig, studyConfigs, type StudyConfig } from './runs.ts';
import { verdictsOf } from './verdicts.ts';

export interface QualityOptions {
  readonly root: string;
  readonly size: 'full' | 'quick';
  readonly report: (line: string) => void;
}

/**
 * How good the models of the study are, beside their twins that PyTorch trained, the data and Gaussians: first steps side by side, then
 * samples, losses and likelihoods of the trained weights in `runs/quality`, as far as they are there.
 */
export async function qualityEvidence({ root, size, report }: QualityOptions): Promise<Evidence> {
  const started = performance.now();
  const threads = availableParallelism();
  const engine = await onnxruntimeEngine({ threads });
  setDefaultEngine(engine);
  const python = findPython();
  const steps: StepParity[] = [];
  for (const name of python === undefined ? [] : studyConfigs) {
    report(`${name}: first steps beside the twin`);
    steps.push(await stepParity({ root, name, config: await runConfig(root, { config: name, seed: 1 }), engine, python: python! }));
  }
  const times: StepTimes[] = [];
  for (const name of python === undefined ? [] : (['mnist-edm', 'cifar-edm'] as const)) {
    report(`${name}: time of a step beside the twin`);
    times.push(await stepTimes({ root, name, config: await runConfig(root, { config: name, seed: 1 }), engine, python: python!, threads }));
  }
  const data: DataFindings[] = [];
  for (const configs of await byData(root)) {
    data.push(
      await evaluateData(configs, {
        root,
        engine,
        report,
        extent: EXTENTS[size],
        judgeOf: (name) => judgeOf(name, { root, engine }),
      }),
    );
  }
  const verdicts = verdictsOf({ steps, data });
  const minutes = (performance.now() - started) / 60_000;
  const findings = { machine: describeMachine(), size, minutes, steps, times, data, verdicts };
  return {
    page: 'evidence-quality',
    markdown: qualityPage(findings),
    json: findings,
    failed: verdicts.filter(({ holds }) => holds === 'no').length,
  };
}

/** Configurations that train on the same data. */
async function byData(root: string): Promise<readonly (readonly StudyConfig[])[]> {
  const groups = new Map<string, StudyConfig[]>();
  for (const name of studyConfigs) {
    const { data } = await runConfig(root, { config: name, seed: 1 });
    groups.set(data.name, [...(groups.get(data.name) ?? []), name]);
  }
  return [...groups.values()];
}
