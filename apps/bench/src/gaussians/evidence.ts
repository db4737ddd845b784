import type { Evidence } from '../evidence/evidence.ts';
import { describeMachine } from '../machine.ts';
import {
  centralDifferenceStatements,
  closedFormStatements,
  forwardStatements,
  gradientStatements,
  parityStatements,
} from './correctness.ts';
import { evidencePage, type Findings } from './evidence-page.ts';
import { fuzz, roundTrips } from './files.ts';
import { contestants } from './rasterizers.ts';
import { failures, holds, type Statement } from './statement.ts';
import { threadStatements } from './threads.ts';

/** How much of everything. */
export interface Counts {
  readonly forwardScenes: number;
  readonly gradientScenes: number;
  /** Kinds of scenes whose gradients are differenced, and scenes of each. */
  readonly differenced: { readonly cases: number; readonly seeds: number };
  readonly threadScenes: number;
  readonly gaussiansPerFile: number;
  /** Mutated files of each format. */
  readonly mutatedFiles: number;
}

/** What the issue asks for, and a taste of it. */
export const COUNTS: Readonly<Record<'full' | 'quick', Counts>> = {
  full: {
    forwardScenes: 200,
    gradientScenes: 100,
    differenced: { cases: 7, seeds: 6 },
    threadScenes: 12,
    gaussiansPerFile: 2500,
    mutatedFiles: 100_000,
  },
  quick: {
    forwardScenes: 8,
    gradientScenes: 8,
    differenced: { cases: 2, seeds: 1 },
    threadScenes: 2,
    gaussiansPerFile: 300,
    mutatedFiles: 60,
  },
};

/** Everything that is claimed of Gaussians, from code that runs here. */
export async function gaussiansEvidence({
  root,
  report,
  counts,
}: {
  readonly root: string;
  readonly report: (line: string) => void;
  readonly counts: Counts;
}): Promise<Evidence> {
  const { fast, absent } = await contestants();
  if (absent !== undefined) report(`WebGPU takes no part: ${absent}`);
  const each = async (statements: (rasterizer: (typeof fast)[number]) => Promise<readonly Statement[]>): Promise<readonly Statement[]> => {
    const rows: Statement[] = [];
    for (const rasterizer of fast) rows.push(...(await statements(rasterizer)));
    return rows;
  };
  report('pictures beside the reference ...');
  const forward = await each((rasterizer) => forwardStatements(rasterizer, counts.forwardScenes));
  report('gradients beside the reference ...');
  const gradients = await each((rasterizer) => gradientStatements(rasterizer, counts.gradientScenes));
  report('central differences ...');
  const differences = await centralDifferenceStatements(counts.differenced);
  report('closed forms ...');
  const closedForms = await closedFormStatements(fast);
  report('PyTorch ...');
  const parity = await parityStatements(root, fast);
  for (const rasterizer of fast) await rasterizer.dispose();
  report('threads ...');
  const threads = await threadStatements(counts.threadScenes);
  report('round trips ...');
  const trips = await roundTrips(root, counts.gaussiansPerFile);
  report(`${counts.mutatedFiles} mutated files of each format ...`);
  const fuzzed = await fuzz(counts.mutatedFiles);

  const failed =
    failures([...forward, ...gradients, ...differences, ...closedForms, ...parity.statements, ...threads])
    + trips.filter(({ error, bound }) => !holds({ error, allowed: bound })).length
    + fuzzed.failures.length;
  const findings: Findings = {
    failed,
    machine: describeMachine(),
    counts,
    fast: fast.map(({ name }) => name),
    absent: absent ?? null,
    forward,
    gradients,
    differences,
    closedForms,
    parity,
    threads,
    trips,
    fuzzed,
  };
  return { page: 'evidence-gaussians', markdown: evidencePage(findings), json: findings, failed };
}
