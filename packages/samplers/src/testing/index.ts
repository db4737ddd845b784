export { gaussianMoments, measureOrder, measureWeakOrder, orderGrid, type Moments, type OrderMeasurement } from './measure.ts';
