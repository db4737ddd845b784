import type { DataFindings, RunFindings } from './evaluate.ts';
import { ALLOWED, type StepParity } from './parity.ts';
import { studyConfigs, type StudyConfig } from './runs.ts';
import { compareMeans, type Comparison, type Scores } from './scores.ts';

/** A statement, whether it holds, and on what ground. */
export interface Verdict {
  readonly statement: string;
  readonly found: string;
  /** `open`: what it is about has not been measured. */
  readonly holds: 'yes' | 'no' | 'open';
}

export interface Measured {
  readonly steps: readonly StepParity[];
  readonly data: readonly DataFindings[];
}

export function verdictsOf({ steps, data }: Measured): readonly Verdict[] {
  return [
    ...studyConfigs.flatMap((config) => stepVerdicts(config, steps)),
    ...data.flatMap((findings) => [...gaussianVerdicts(findings), ...twinVerdicts(findings), ...guidanceVerdicts(findings)]),
  ];
}

const yes = (holds: boolean): 'yes' | 'no' => (holds ? 'yes' : 'no');

function stepVerdicts(config: StudyConfig, steps: readonly StepParity[]): readonly Verdict[] {
  const found = steps.find((each) => each.config === config);
  if (found === undefined) {
    return [{ statement: `${config}: first steps equal the twin's`, found: 'no Python with torch here', holds: 'open' }];
  }
  const row = (what: string, value: number, allowed: number): Verdict => ({
    statement: `${config}: ${what} within ${allowed.toExponential(0)} of the twin's`,
    found: value.toExponential(1),
    holds: yes(value <= allowed),
  });
  return [
    row('loss of the first step', found.firstLoss, ALLOWED.firstLoss),
    row('gradients of the first step', found.gradients, ALLOWED.gradients),
    row(`losses of steps 2 to ${found.steps}`, found.laterLosses, ALLOWED.laterLosses),
  ];
}

/** Where more is better, and where less. */
const BEATS: readonly { readonly score: 'extrapolated' | 'kernel' | 'recall'; readonly better: 'less' | 'more' }[] = [
  { score: 'extrapolated', better: 'less' },
  { score: 'kernel', better: 'less' },
  { score: 'recall', better: 'more' },
];

function gaussianVerdicts({ runs, gaussian, gaussianByClass }: DataFindings): readonly Verdict[] {
  const beats = (own: Scores, other: Scores): readonly string[] =>
    BEATS.filter(({ score, better }) => !(better === 'less' ? own[score] < other[score] : own[score] > other[score])).map(
      ({ score }) => score,
    );
  return runs
    .filter(({ run }) => run.by === 'langevin')
    .map(({ run, scores }): Verdict => {
      const lost = [...new Set([...beats(scores, gaussian), ...beats(scores, gaussianByClass)])];
      return {
        statement: `${run.name} beats both Gaussians in distance, kernel distance and recall`,
        found: lost.length === 0 ? 'in all three' : `not in ${lost.join(', ')}`,
        holds: yes(lost.length === 0),
      };
    });
}

/** Means of ours and the twin's by configuration, over the seeds that both have. */
export function comparisonsOf({ runs }: Pick<DataFindings, 'runs'>): ReadonlyMap<StudyConfig, readonly Comparison[]> {
  const map = new Map<StudyConfig, readonly Comparison[]>();
  for (const config of studyConfigs) {
    const of = (by: RunFindings['run']['by']): readonly RunFindings[] => runs.filter(({ run }) => run.config === config && run.by === by);
    const pairs = of('langevin').flatMap((ours) =>
      of('twin').flatMap((twin) => (twin.run.seed === ours.run.seed ? [[ours, twin] as const] : [])),
    );
    if (pairs.length > 0)
      map.set(
        config,
        compareMeans(
          pairs.map(([a]) => a.scores),
          pairs.map(([, b]) => b.scores),
        ),
      );
  }
  return map;
}

function twinVerdicts(findings: DataFindings): readonly Verdict[] {
  const verdicts: Verdict[] = [];
  for (const [config, comparisons] of comparisonsOf(findings)) {
    for (const { score, difference, error, holds } of comparisons) {
      // One seed tells no error, so that there is nothing to hold it to.
      if (holds === undefined || error === undefined) continue;
      verdicts.push({
        statement: `${config}: mean ${score} at most two standard errors from the twin's`,
        found: `${difference.toPrecision(2)} with a standard error of ${error.toPrecision(2)}`,
        holds: yes(holds),
      });
    }
  }
  if (verdicts.length === 0 && findings.missing.some((name) => name.startsWith('mnist-edm'))) {
    verdicts.push({
      statement: 'mnist-edm: means over three seeds beside the twin',
      found: 'fewer than two pairs are trained',
      holds: 'open',
    });
  }
  return verdicts;
}

function guidanceVerdicts({ first }: DataFindings): readonly Verdict[] {
  return first.flatMap(({ run, guidance }): readonly Verdict[] => {
    const [none, ...more] = guidance;
    if (none === undefined) return [];
    const shown = guidance.map(({ scale, accuracy }) => `${scale}: ${(100 * accuracy).toFixed(1)} %`).join(', ');
    return [
      {
        statement: `${run.name}: guidance raises the share of samples of the class that was asked for`,
        found: shown,
        holds: yes(more.some(({ accuracy }) => accuracy > none.accuracy)),
      },
    ];
  });
}
