export type { AnalyticDistribution } from './distribution.ts';
export { gaussian, gaussianAround, type Gaussian, type GaussianOptions } from './gaussian.ts';
export { finiteSet, mixture, threeModes, type MixtureComponent } from './mixture.ts';
export type { ComponentLabels } from './posterior-mean.ts';
