import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Columns } from './curve.ts';

const INK = '#9aa0a8';
const GRID = { stroke: 'rgba(255, 255, 255, 0.07)', width: 1 };
const FONT = '12px system-ui, sans-serif';

/** The loss on a scale at the left, the PSNR on one at the right. */
export function createChart(host: HTMLElement): { readonly draw: (columns: Columns) => void } {
  const axis = { stroke: INK, grid: GRID, ticks: GRID, font: FONT };
  const chart = new uPlot(
    {
      width: 600,
      height: height(),
      cursor: { drag: { x: false, y: false } },
      legend: { live: false },
      scales: { x: { time: false } },
      axes: [
        { ...axis, size: 28, space: 60 },
        { ...axis, scale: 'loss', size: 48, space: 28 },
        { ...axis, scale: 'dB', side: 1, size: 40, space: 28, grid: { show: false } },
      ],
      series: [
        { label: 'Step' },
        { label: 'Loss', scale: 'loss', stroke: '#e0895f', width: 1.5, spanGaps: true, points: { show: false } },
        { label: 'PSNR trained (dB)', scale: 'dB', stroke: '#56698f', width: 1, spanGaps: true, points: { show: false } },
        { label: 'PSNR here (dB)', scale: 'dB', stroke: '#8fb0ff', width: 2, spanGaps: true, points: { show: false } },
      ],
    },
    [[], [], [], []],
    host,
  );
  new ResizeObserver(() => {
    if (host.clientWidth > 0) chart.setSize({ width: host.clientWidth - 16, height: height() });
  }).observe(host);
  return { draw: (columns) => chart.setData(columns.map((column) => [...column]) as unknown as uPlot.AlignedData) };
}

function height(): number {
  return innerWidth <= 820 ? 130 : 190;
}
