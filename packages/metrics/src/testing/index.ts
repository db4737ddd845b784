export { checkMetric, type CheckMetricOptions } from './check-metric.ts';
