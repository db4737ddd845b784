export {};
export { fromStateDict, toStateDict, type FromStateDictOptions, type StateEntry } from './state-dict.ts';
