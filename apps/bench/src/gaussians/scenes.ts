import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gaussiansFromPoints, type Gaussians, type SplatScene } from '@langevin/gaussians';
import { loadScene } from '@langevin/gaussians/node';

/** One of the synthetic scenes that another program was measured on: 24 views, and coloured points to begin from. */
export interface BenchScene {
  readonly scene: SplatScene;
  /** What training begins with. */
  readonly initial: Gaussians;
}

/** The scene of a name with one view held out, or a sentence why there is none. */
export async function benchScene(root: string, name: string): Promise<BenchScene | string> {
  const folder = join(process.env['LANGEVIN_DATA'] ?? join(root, '../shared/data'), 'splat-scenes', name);
  if (!existsSync(folder)) return `${name} is not there: path=${folder}. LANGEVIN_DATA names the folder of data.`;
  const scene = await loadScene(folder, { holdOut: { names: [HELD_OUT] } });
  if (scene.points === undefined) return `${name} has no points to begin with: path=${folder}.`;
  return { scene, initial: gaussiansFromPoints(scene.points, { degree: 3 }) };
}

/** The view that OpenSplat was judged by. */
export const HELD_OUT = 'v011';
