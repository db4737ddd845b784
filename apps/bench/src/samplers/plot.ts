import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** One measured point of a curve. */
export interface Point {
  readonly series: string;
  readonly x: number;
  readonly y: number;
}

export interface LinePlot {
  readonly title: string;
  readonly points: readonly Point[];
  readonly x: { readonly title: string; readonly ticks: readonly number[] };
  readonly y: { readonly title: string; readonly scale: 'log' | 'linear' };
}

/** A work-precision diagram as SVG: both axes may be logarithmic, a line for each series. */
export async function linePlot({ title, points, x, y }: LinePlot): Promise<string> {
  const series = [...new Set(points.map((point) => point.series))];
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    width: 620,
    height: 400,
    title: { text: title, anchor: 'start', fontSize: 15 },
    data: { values: points.map((point) => ({ ...point })) },
    mark: { type: 'line', point: { size: 34 }, strokeWidth: 1.8 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        scale: { type: 'log', base: 2, nice: false },
        axis: { title: x.title, values: [...x.ticks], grid: true, gridColor: '#eee' },
      },
      y: {
        field: 'y',
        type: 'quantitative',
        scale: { type: y.scale, ...(y.scale === 'linear' && { zero: false }) },
        axis: { title: y.title, grid: true, gridColor: '#eee', ...(y.scale === 'log' && { format: '.0e', tickCount: 8 }) },
      },
      color: { field: 'series', type: 'nominal', sort: series, scale: { scheme: 'tableau20' }, title: null, legend: { labelLimit: 240 } },
      strokeDash: { field: 'series', type: 'nominal', sort: series },
    },
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}
