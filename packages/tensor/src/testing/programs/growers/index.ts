import { elementwiseGrowers, type Grower } from './elementwise.ts';
import { linearGrowers } from './linear.ts';
import { reduceGrowers } from './reduce.ts';
import { shapeGrowers } from './shape.ts';

export type { Grower };

/** How a use of each op is drawn. */
export const growers: Readonly<Record<string, Grower>> = { ...elementwiseGrowers, ...reduceGrowers, ...shapeGrowers, ...linearGrowers };
