import { createHash } from 'node:crypto';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { UserError, type Engine } from '@langevin/tensor';
import {
  checkProgram,
  expectationsOf,
  generateProgram,
  pastedProgram,
  programKinds,
  programOps,
  shrinkProgram,
  type Expectation,
  type ProgramKind,
  type ProgramReport,
  type ProgramSpec,
} from '@langevin/tensor/testing';
import { engineCandidates } from './candidates.ts';
import type { Evidence } from './evidence.ts';
import { programsPage } from './programs-page.ts';
import { startTorchPrograms, type TorchPrograms } from './torch-programs.ts';

export interface ProgramsContext {
  readonly root: string;
  readonly report: (line: string) => void;
  readonly size: 'full' | 'quick';
  /** Other seeds, other programs. */
  readonly seed: number;
}

/** How one engine did with one kind of programs. */
export interface ProgramsTally {
  readonly engine: string;
  readonly kind: ProgramKind;
  programs: number;
  compared: number;
  unsettled: number;
  refused: number;
  different: number;
}

export interface ProgramsResult {
  readonly seed: number;
  readonly distinct: number;
  readonly torch: string | undefined;
  readonly tallies: readonly ProgramsTally[];
  /** How often each op was used. */
  readonly uses: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  readonly failures: readonly { readonly engine: string; readonly problem: string; readonly paste: string }[];
}

type Counts = Readonly<Record<ProgramKind, number>>;

interface Contestant {
  readonly name: string;
  readonly open: () => Promise<Engine>;
  readonly counts: Counts;
}

const NONE: Counts = { smooth: 0, special: 0, dtypes: 0, empty: 0, batched: 0, rewrites: 0 };
/** What is cheap to run and finds most, special elements and rewrites, is run most often. */
const MOST: Counts = { smooth: 1500, special: 2500, dtypes: 1500, empty: 1000, batched: 500, rewrites: 3500 };
const MANY: Counts = { smooth: 300, special: 500, dtypes: 300, empty: 200, batched: 100, rewrites: 500 };
const LEVELS: Counts = { ...NONE, rewrites: 500, smooth: 100 };
/** An emulated GPU takes seconds for what a CPU does in milliseconds. */
const FEW: Counts = { smooth: 15, special: 15, dtypes: 10, empty: 10, batched: 5, rewrites: 15 };

function countsFor(name: string): Counts {
  if (name === 'onnxruntime/cpu') return MOST;
  return /webgpu/.test(name) ? FEW : MANY;
}

/** Fewer different programs than this say too little. */
const FEWEST_DISTINCT = 10_000;

/** What share of all elements may be decided by rounding before the comparison says too little. */
const MOST_UNSETTLED = 0.1;

async function contestants(
  size: ProgramsContext['size'],
): Promise<{ readonly found: readonly Contestant[]; readonly missing: ProgramsResult['missing'] }> {
  const candidates = await engineCandidates();
  const scale = (counts: Counts): Counts => {
    if (size === 'full') return counts;
    return Object.fromEntries(Object.entries(counts).map(([kind, n]) => [kind, Math.ceil(n / 20)])) as Counts;
  };
  const found = candidates.filter(({ available }) => available).map(({ name, open }) => ({ name, open, counts: scale(countsFor(name)) }));
  const levels = (['disabled', 'basic', 'extended'] as const).map((level) => ({
    name: `onnxruntime/cpu, optimiser: ${level}`,
    open: () => onnxruntimeEngine({ device: 'cpu', session: { graphOptimizationLevel: level } }),
    counts: scale(LEVELS),
  }));
  const missing = candidates.filter(({ available }) => !available).map(({ name, reason = 'not available' }) => ({ name, reason }));
  return { found: [...found, ...levels], missing };
}

/** What a run gathers. */
class Gathered {
  readonly tallies: ProgramsTally[] = [];
  readonly uses: Record<string, number> = Object.fromEntries(Object.keys(programOps).map((op) => [op, 0]));
  readonly refusals: Record<string, number> = {};
  readonly failures: { engine: string; problem: string; paste: string }[] = [];
  /** Hashes of the programs without their elements: two draws may give the same small one. */
  readonly seen = new Set<string>();

  of(engine: string, kind: ProgramKind): ProgramsTally {
    let tally = this.tallies.find((other) => other.engine === engine && other.kind === kind);
    if (!tally) this.tallies.push((tally = { engine, kind, programs: 0, compared: 0, unsettled: 0, refused: 0, different: 0 }));
    return tally;
  }

  add(engine: string, kind: ProgramKind, { compared, unsettled, refused, findings }: ProgramReport): void {
    const tally = this.of(engine, kind);
    tally.programs++;
    tally.compared += compared;
    tally.unsettled += unsettled;
    if (refused !== undefined) {
      tally.refused++;
      const reason = `${engine}: ${refused.replace(/\d+/g, 'N')}`;
      this.refusals[reason] = (this.refusals[reason] ?? 0) + 1;
    }
    if (findings.length > 0) tally.different++;
  }
}

/** Of what a program computes, whatever the elements of its inputs are. */
function fingerprint(spec: ProgramSpec): string {
  const text = JSON.stringify(spec, (key, value: unknown) => (key === 'seed' ? undefined : value));
  return createHash('sha256').update(text).digest('base64');
}

/** A failing program is made small for the first few; the others are kept as they are. */
const SHRUNK = 5;

async function failure(
  engine: Engine,
  spec: ProgramSpec,
  effort: 'shrink' | 'keep',
): Promise<{ readonly problem: string; readonly paste: string }> {
  const fails = async (candidate: ProgramSpec): Promise<boolean> => (await checkProgram(engine, candidate)).findings.length > 0;
  const small = effort === 'shrink' ? await shrinkProgram(spec, fails) : spec;
  const { findings } = await checkProgram(engine, small);
  const [first] = findings;
  return { problem: first ? `${first.mode}, ${first.of}: ${first.problem}` : 'not again', paste: pastedProgram(small) };
}

/** Random programs of all ops on every engine found here, beside the reference engine, and beside PyTorch where there is one. */
export async function programsEvidence(context: ProgramsContext): Promise<Evidence> {
  const { root, report, size, seed } = context;
  if (!(Number.isInteger(seed) && seed >= 0 && seed <= 4000))
    throw new UserError(`[bench/programs] seed is out of range: seed=${seed}. Give an integer in [0, 4000].`);
  const { found, missing } = await contestants(size);
  const engines = await Promise.all(found.map(async (contestant) => ({ ...contestant, engine: await contestant.open() })));
  const torch = startTorchPrograms(root);
  const gathered = new Gathered();
  for (const [k, kind] of programKinds.entries()) {
    const most = Math.max(...engines.map(({ counts }) => counts[kind]));
    report(`${most} programs: ${kind} ...`);
    for (let i = 0; i < most; i++) {
      // A runtime that ends the process says nothing: this tells where to look.
      if (i > 0 && i % 100 === 0) report(`  ${kind}: ${i}`);
      const spec = generateProgram(kind, seed * 1_000_003 + k * 100_003 + i);
      spec.steps.forEach(({ op }) => (gathered.uses[op] = (gathered.uses[op] ?? 0) + 1));
      gathered.seen.add(fingerprint(spec));
      const expectations = await expectationsOf(spec);
      if (torch) await judge(torch, { spec, kind, expectations }, gathered);
      for (const { name, engine, counts } of engines) {
        if (i >= counts[kind]) continue;
        const result = await checkProgram(engine, spec, { expectations });
        gathered.add(name, kind, result);
        if (result.findings.length === 0) continue;
        const effort = gathered.failures.filter((other) => other.engine === name).length < SHRUNK ? 'shrink' : 'keep';
        const { problem, paste } = await failure(engine, spec, effort);
        gathered.failures.push({ engine: name, problem, paste });
        report(`${name}: ${problem}\n  ${paste}`);
      }
    }
  }
  torch?.close();
  for (const { engine } of engines) await engine.dispose();
  const result: ProgramsResult = {
    seed,
    distinct: gathered.seen.size,
    torch: torch?.version,
    tallies: gathered.tallies,
    uses: gathered.uses,
    refusals: gathered.refusals,
    missing,
    failures: gathered.failures,
  };
  const share = (of: (tally: ProgramsTally) => number): number => result.tallies.reduce((sum, tally) => sum + of(tally), 0);
  const hollow = share(({ unsettled }) => unsettled) > MOST_UNSETTLED * share(({ compared, unsettled }) => compared + unsettled) ? 1 : 0;
  const few = size === 'full' && result.distinct < FEWEST_DISTINCT ? 1 : 0;
  const unused = Object.entries(result.uses).filter(([, count]) => size === 'full' && count === 0).length;
  return {
    page: 'evidence-programs',
    markdown: programsPage(result),
    json: result,
    failed: result.failures.length + hollow + few + unused,
  };
}

async function judge(
  torch: TorchPrograms,
  { spec, kind, expectations }: { readonly spec: ProgramSpec; readonly kind: ProgramKind; readonly expectations: readonly Expectation[] },
  gathered: Gathered,
): Promise<void> {
  const { compared, problems } = await torch.differences(spec, expectations);
  const tally = gathered.of('PyTorch', kind);
  tally.programs++;
  tally.compared += compared;
  tally.unsettled += expectations
    .flatMap(({ results }) => results)
    .reduce((n, r) => n + r.tolerances.filter((t) => Number.isNaN(t)).length, 0);
  if (problems.length === 0) return;
  tally.different++;
  gathered.failures.push({ engine: 'PyTorch', problem: problems[0]!, paste: JSON.stringify(spec) });
}
