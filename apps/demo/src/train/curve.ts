import type { StepPoint } from './protocol.ts';

/** Columns for a chart: steps, loss, PSNR of the views that were trained on, PSNR of the view that is looked at. */
export type Columns = readonly [readonly number[], readonly (number | null)[], readonly (number | null)[], readonly (number | null)[]];

/** The course of a training: means over as many steps as leave a few hundred points, however long it runs. */
export interface Curve {
  readonly add: (points: readonly StepPoint[]) => void;
  /** A measured view; replaces one of the same step. */
  readonly measure: (step: number, psnr: number) => void;
  readonly columns: () => Columns;
}

interface Bin {
  steps: number;
  last: number;
  loss: number;
  psnr: number;
}

/** @param most points before neighbours are joined. @default 160 */
export function createCurve(most = 160): Curve {
  let width = 1;
  let bins: Bin[] = [];
  let measured: { readonly step: number; readonly psnr: number }[] = [];

  const join = (): void => {
    width *= 2;
    const joined: Bin[] = [];
    for (let i = 0; i < bins.length; i += 2) {
      const [a, b] = [bins[i]!, bins[i + 1]];
      joined.push(b === undefined ? a : { steps: a.steps + b.steps, last: b.last, loss: a.loss + b.loss, psnr: a.psnr + b.psnr });
    }
    bins = joined;
  };
  return {
    add: (points) => {
      for (const { step, loss, psnr } of points) {
        const bin = bins.at(-1);
        if (bin !== undefined && bin.steps < width)
          Object.assign(bin, { steps: bin.steps + 1, last: step, loss: bin.loss + loss, psnr: bin.psnr + psnr });
        else bins.push({ steps: 1, last: step, loss, psnr });
        if (bins.length > most) join();
      }
    },
    measure: (step, psnr) => {
      measured = [...measured.filter((other) => other.step !== step), { step, psnr }];
      // Every other one of the old ones is enough.
      if (measured.length > most) measured = measured.filter((_, i) => i % 2 === 0 || i === measured.length - 1);
    },
    columns: () => {
      const steps = [...new Set([...bins.map(({ last }) => last), ...measured.map(({ step }) => step)])].sort((a, b) => a - b);
      const binAt = new Map(bins.map((bin) => [bin.last, bin]));
      const measuredAt = new Map(measured.map(({ step, psnr }) => [step, psnr]));
      const mean = (step: number, key: 'loss' | 'psnr'): number | null => {
        const bin = binAt.get(step);
        return bin === undefined ? null : bin[key] / bin.steps;
      };
      return [
        steps,
        steps.map((step) => mean(step, 'loss')),
        steps.map((step) => mean(step, 'psnr')),
        steps.map((step) => measuredAt.get(step) ?? null),
      ];
    },
  };
}
