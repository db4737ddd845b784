import { arrayAlgebra, edm, karras } from '@langevin/core-schedules';
import { finiteSet } from '@langevin/core-schedules/testing';
import { denoisingLead, euler, heun, imageNoise, meanShift, pathShape, startState, trajectory } from '@langevin/samplers';

/** A statement of the geometric perspective on sampling (Chen et al. 2023, arXiv:2305.19947), measured. */
export interface GeometryRow {
  readonly statement: string;
  readonly found: string;
  readonly holds: boolean;
}

/** Numbers of a state, data points, paths. */
const [SIZE, POINTS, PATHS] = [64, 24, 8];

/** Points with numbers in -1..1, the same at every run. */
function points(): readonly (readonly number[])[] {
  return Array.from({ length: POINTS }, (_, k) => Array.from({ length: SIZE }, (__, i) => Math.sin(1.7 * (k + 1) * (i + 1) + k * k)));
}

/** The measures on the exact denoiser of a finite data set, along Heun paths of 40 steps from sigma 80 to 0.002. */
export async function geometryRows(): Promise<readonly GeometryRow[]> {
  const data = points();
  const set = finiteSet(data);
  const denoise = set.denoiser<Float64Array>();
  const algebra = arrayAlgebra({ items: 1 });
  const levels = karras().levels(edm(), { steps: 40 });
  const shapes = [];
  const leads = [];
  let [shift, convex] = [0, 0];
  for (let image = 0; image < PATHS; image++) {
    const x = await startState({ algebra, noise: imageNoise({ seed: 3, images: [image] }), at: levels[0]!, like: new Float64Array(SIZE) });
    const [states, predictions]: [Float64Array[], Float64Array[]] = [[x], []];
    for await (const step of trajectory({ sampler: heun(), denoise, x, levels, algebra })) {
      states.push(step.x);
      predictions.push(step.denoised);
    }
    shapes.push(pathShape(states));
    leads.push(denoisingLead(states, predictions));
    for (const [i, state] of states.slice(0, -1).entries()) {
      const sigma = levels[i]!.sigma;
      const centre = meanShift(state, { points: data, bandwidth: sigma });
      shift = Math.max(shift, gapOf(await denoise(state, levels[i]!), centre));
      const next = levels[i + 1]!;
      const share = next.sigma / sigma;
      for await (const { x: after } of trajectory({ sampler: euler(), denoise, x: state, levels: [levels[i]!, next], algebra }))
        convex = Math.max(
          convex,
          gapOf(
            after,
            state.map((value, k) => share * value + (1 - share) * centre[k]!),
          ),
        );
    }
  }
  const deviation = Math.max(...shapes.map(({ relativeDeviation }) => relativeDeviation));
  const tortuosity = Math.max(...shapes.map((shape) => shape.tortuosity));
  const leading = Math.min(...leads.map(({ leads: count, predictions }) => count / predictions.length));
  return [
    {
      statement: 'the denoiser of a finite set is one update of mean shift with bandwidth sigma, to 1e-10',
      found: shift.toExponential(1),
      holds: shift < 1e-10,
    },
    {
      statement: "an Euler step is the convex combination (s' / s) x + (1 - s' / s) D, to 1e-10",
      found: convex.toExponential(1),
      holds: convex < 1e-10,
    },
    {
      statement: 'paths are near a line: greatest distance from the chord, over the chord, below 0.05',
      found: deviation.toFixed(4),
      holds: deviation < 0.05,
    },
    { statement: 'paths hardly wind: length over chord below 1.02', found: tortuosity.toFixed(4), holds: tortuosity < 1.02 },
    {
      statement: 'predictions lead: of all steps, the share whose prediction is nearer to the end than its state is at least 0.9',
      found: leading.toFixed(3),
      holds: leading >= 0.9,
    },
  ];
}

const gapOf = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, k) => Math.max(most, Math.abs(value - b[k]!)), 0);
