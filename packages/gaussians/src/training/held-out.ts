import { encodePng, imageGrid } from '@langevin/io';
import type { Evaluation } from '@langevin/training';
import type { Rendering } from '../rasterizer.ts';
import type { SceneView } from '../scenes/scene.ts';
import { imageOf, pictureOf, type Rgb } from './pictures.ts';
import type { ViewScore } from './view-loss.ts';

/** Held-out views of which a picture is made. */
const SHOWN_VIEWS = 8;
const LONGEST_NAME = 80;

/**
 * What views that were not trained on come to: of the first ones a picture of photograph and rendering side by side, a table of all scores,
 * and the means `heldOutPsnr`, `heldOutSsim` and, where there is such a measure, `heldOutPerceptual`. Nothing where none is held out.
 *
 * @param draw a view as the state shows it
 */
export async function* heldOut(
  views: readonly SceneView[],
  {
    background,
    draw,
  }: { readonly background: Rgb; readonly draw: (view: SceneView) => Promise<{ score: ViewScore; rendering: Rendering }> },
): AsyncGenerator<Evaluation, void> {
  if (views.length === 0) return;
  const scores: ViewScore[] = [];
  const names = new Set<string>();
  for (const view of views) {
    const { score, rendering } = await draw(view);
    scores.push(score);
    if (scores.length > SHOWN_VIEWS) continue;
    const truth = imageOf(pictureOf(view.image, background), view.camera);
    const pair = imageGrid([truth, imageOf(rendering.color, view.camera)], {
      columns: 2,
      labels: ['photograph', `render ${score.psnr.toFixed(2)} dB`],
    });
    yield { kind: 'picture', name: `held-out/${freshName(view.name, names)}`, extension: 'png', content: await encodePng(pair) };
  }
  yield { kind: 'table', name: 'held-out/scores', extension: 'csv', content: tableOf(scores) };
  const mean = (value: (score: ViewScore) => number): number => scores.reduce((sum, score) => sum + value(score), 0) / scores.length;
  yield {
    kind: 'numbers',
    values: {
      heldOutPsnr: mean(({ psnr }) => psnr),
      heldOutSsim: mean(({ ssim }) => ssim),
      ...(scores[0]!.perceptual !== undefined && { heldOutPerceptual: mean(({ perceptual }) => perceptual ?? NaN) }),
    },
  };
}

/** The name of a view as one of a file, which no other has. */
function freshName(view: string, taken: Set<string>): string {
  const plain = view
    .replace(/\.(?:png|jpe?g|webp|tiff?)$/iu, '')
    .replace(/[^a-zA-Z0-9-]+/gu, '_')
    .slice(-LONGEST_NAME);
  let name = plain === '' ? 'view' : plain;
  for (let copy = 2; taken.has(name); copy++) name = `${plain}_${copy}`;
  taken.add(name);
  return name;
}

function tableOf(scores: readonly ViewScore[]): string {
  const columns = ['psnr', 'ssim', ...(scores[0]!.perceptual === undefined ? [] : (['perceptual'] as const))] as const;
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = scores.map((score) => [quoted(score.name), ...columns.map((name) => String(score[name]))].join(','));
  return `${[['view', ...columns].join(','), ...lines].join('\n')}\n`;
}
