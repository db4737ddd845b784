import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { referenceRasterizer, type Rasterizer } from '@langevin/gaussians';
import {
  checkGradients,
  CLOSED_FORM_TOLERANCE,
  CLOSED_FORMS,
  compareForward,
  compareGolden,
  compareGoldenReference,
  compareGradients,
  drawDouble,
  drawSingle,
  FORWARD_TOLERANCE,
  GRADIENT_CASES,
  GRADIENT_TOLERANCE,
  SINGLE_GRADIENT_TOLERANCE,
  type GaussiansGolden,
  type GoldenDifference,
} from '@langevin/gaussians/testing';
import type { Statement } from './statement.ts';

/** Random scenes drawn beside the reference. */
export async function forwardStatements(rasterizer: Rasterizer, scenes: number): Promise<readonly Statement[]> {
  const { pixels, skipped, ...errors } = await compareForward(rasterizer, { scenes });
  const left = `${scenes} scenes, ${pixels} pixels, without ${skipped} that are within 0.1 % of a cut-off`;
  return (['color', 'alpha', 'depth'] as const).map((name) => ({
    name: `${rasterizer.kind}: ${name}`,
    error: errors[name],
    allowed: FORWARD_TOLERANCE,
    of: left,
  }));
}

/** Gradients of random scenes beside the reference's, each relative to its largest entry. */
export async function gradientStatements(rasterizer: Rasterizer, scenes: number): Promise<readonly Statement[]> {
  const errors = await compareGradients(rasterizer, { scenes });
  return Object.entries(errors).map(([name, error]) => ({
    name: `${rasterizer.kind}: ${name}`,
    error,
    allowed: SINGLE_GRADIENT_TOLERANCE,
    of: `${scenes} scenes`,
  }));
}

/** Gradients of the reference beside central differences, by input. */
export async function centralDifferenceStatements({
  cases,
  seeds,
}: {
  readonly cases: number;
  readonly seeds: number;
}): Promise<readonly Statement[]> {
  const worst = new Map<string, { error: number; scenes: number }>();
  for (const kind of GRADIENT_CASES.slice(0, cases)) {
    for (let seed = 1; seed <= seeds; seed++) {
      for (const [name, { error, largest }] of Object.entries(await checkGradients(kind, seed))) {
        const before = worst.get(name) ?? { error: 0, scenes: 0 };
        // A gradient of zeros would agree with anything.
        worst.set(name, { error: Math.max(before.error, largest > 1e-3 ? error : Infinity), scenes: before.scenes + 1 });
      }
    }
  }
  return [...worst].map(([name, { error, scenes }]) => ({ name, error, allowed: GRADIENT_TOLERANCE, of: `${scenes} scenes` }));
}

/** What has to come out by a formula or a symmetry. */
export async function closedFormStatements(fast: readonly Rasterizer[]): Promise<readonly Statement[]> {
  const rows: Statement[] = [];
  for (const { name, gap } of CLOSED_FORMS) {
    rows.push({ name, of: 'reference', error: await gap(drawDouble(referenceRasterizer())), allowed: CLOSED_FORM_TOLERANCE.reference });
    for (const rasterizer of fast)
      rows.push({ name, of: rasterizer.kind, error: await gap(drawSingle(rasterizer)), allowed: CLOSED_FORM_TOLERANCE.single });
  }
  return rows;
}

/** Golden scenes of PyTorch: for each scene and rasterizer, the outputs and the gradients that come nearest to what is allowed. */
export async function parityStatements(
  root: string,
  fast: readonly Rasterizer[],
): Promise<{ readonly torch: string; readonly statements: readonly Statement[] }> {
  const golden = JSON.parse(readFileSync(join(root, 'packages/gaussians/test/golden/gaussians.json'), 'utf8')) as GaussiansGolden;
  const statements = [...summary('reference', await compareGoldenReference(golden, referenceRasterizer()))];
  for (const rasterizer of fast) statements.push(...summary(rasterizer.kind, await compareGolden(golden, rasterizer)));
  return { torch: golden.versions.torch, statements };
}

function summary(kind: string, differences: readonly GoldenDifference[]): readonly Statement[] {
  const scenes = [...new Set(differences.map(({ scene }) => scene))];
  return scenes.flatMap((scene) =>
    (['outputs', 'gradients'] as const).map((part) => {
      const own = differences.filter((each) => each.scene === scene && each.array.startsWith('d ') === (part === 'gradients'));
      const { array, ours, allowed } = own.reduce((worst, each) => (each.ours / each.allowed > worst.ours / worst.allowed ? each : worst));
      return { name: scene, of: `${kind}, ${part}: ${array}`, error: ours, allowed };
    }),
  );
}
