import type { Sampler } from '@langevin/core';
import { dpmSolver } from '../../solvers/dpm-solver.ts';
import { dpmpp2mSde } from '../../solvers/dpmpp-2m-sde.ts';
import { dpmpp3mSde } from '../../solvers/dpmpp-3m-sde.ts';
import type { LowerOrderFinal } from '../../maths/multistep.ts';

export type AlgorithmName = 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver' | 'sde-dpmsolver++';
type SolverTypeName = 'midpoint' | 'heun';

interface MultistepRule {
  readonly algorithm: AlgorithmName;
  readonly order: 1 | 2 | 3;
  readonly solverType: SolverTypeName;
  readonly lowerOrderFinal: LowerOrderFinal;
}

/** The solver of a multistep DPM class, with the published weights where upstream has them. */
export function multistepSolver({ algorithm, order, solverType, lowerOrderFinal }: MultistepRule): Sampler {
  if (algorithm === 'sde-dpmsolver++' || algorithm === 'sde-dpmsolver') {
    const prediction = algorithm === 'sde-dpmsolver' ? 'epsilon' : 'x0';
    return order === 3
      ? dpmpp3mSde({ weights: 'diffusers', solverType, prediction, lowerOrderFinal })
      : dpmpp2mSde({ order, solverType, prediction, lowerOrderFinal });
  }
  return dpmSolver({
    form: 'multistep',
    order,
    solverType,
    weights: 'reference',
    prediction: algorithm === 'dpmsolver' ? 'epsilon' : 'x0',
    lowerOrderFinal,
  });
}

/** When the order falls at the end, from the two flags of these classes. */
export function lowerOrderRule(
  { lower_order_final, euler_at_final = false }: { readonly lower_order_final: boolean; readonly euler_at_final?: boolean },
  steps: number,
): LowerOrderFinal {
  if (lower_order_final && steps < 15) return 'few';
  return euler_at_final ? 'last' : 'clean';
}
