import type { SchedulerClass } from '../scheduler-class.ts';
import { consistencyDecoder } from './consistency-decoder.ts';
import { cogVideoXClasses } from './cogvideox.ts';
import { ddimInverse } from './ddim-inverse.ts';
import { ddpmClasses } from './ddpm.ts';
import { dpmSolverSde } from './dpmsolver-sde.ts';
import { eulerAncestralDiscrete } from './euler-ancestral.ts';
import { repaintScheduler } from './repaint.ts';
import { ipndmScheduler } from './ipndm.ts';
import { karrasVe } from './karras-ve.ts';
import { kdpm2Classes } from './kdpm2.ts';
import { lmsDiscrete } from './lms.ts';
import { pndmScheduler } from './pndm.ts';
import { scoreSdeVe, scoreSdeVp } from './score-sde.ts';
import { unclip } from './unclip.ts';
import { ddpmWuerstchen } from './wuerstchen.ts';
import { ddimClasses } from './ddim.ts';
import { eulerDiscrete } from './euler.ts';
import { heunDiscrete } from './heun.ts';
import { consistencyModelClasses } from './consistency-models.ts';
import { distilledClasses } from './distilled.ts';
import { flowHeunClasses } from './flow-heun.ts';
import { flowMapClasses } from './flow-map.ts';
import { flowMatchClasses } from './flow-match.ts';
import { ltxClasses } from './ltx.ts';
import { miniMaxClasses } from './minimax-h3.ts';
import { scmClasses } from './scm.ts';
import { deisClasses } from './deis.ts';
import { dpmSolverMultistepClasses } from './dpmsolver-multistep.ts';
import { edmClasses } from './edm.ts';
import { saSolverClasses } from './sa-solver.ts';
import { unipcClasses } from './unipc.ts';
import { dpmSolverSinglestepClasses } from './dpmsolver-singlestep.ts';
import { heliosClasses } from './helios.ts';

/** Every class, a line a file. */
export const schedulerClasses: readonly SchedulerClass[] = [
  ...cogVideoXClasses,
  consistencyDecoder,
  ...ddimClasses,
  ddimInverse,
  ...ddpmClasses,
  ddpmWuerstchen,
  dpmSolverSde,
  eulerAncestralDiscrete,
  ipndmScheduler,
  karrasVe,
  ...kdpm2Classes,
  lmsDiscrete,
  pndmScheduler,
  repaintScheduler,
  scoreSdeVe,
  scoreSdeVp,
  unclip,
  eulerDiscrete,
  heunDiscrete,
  ...consistencyModelClasses,
  ...distilledClasses,
  ...flowHeunClasses,
  ...flowMapClasses,
  ...flowMatchClasses,
  ...ltxClasses,
  ...miniMaxClasses,
  ...scmClasses,
  ...deisClasses,
  ...dpmSolverMultistepClasses,
  ...edmClasses,
  ...saSolverClasses,
  ...unipcClasses,
  ...dpmSolverSinglestepClasses,
  ...heliosClasses,
];
