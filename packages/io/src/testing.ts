// For tests of data sets made outside this package.
export { checkDataset } from './testing/check-dataset.ts';
