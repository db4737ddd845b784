export type { AnalyticDistribution } from './distribution.ts';
export { gaussian, type Gaussian, type GaussianOptions } from './gaussian.ts';
export { finiteSet, mixture, threeModes, type MixtureComponent } from './mixture.ts';
