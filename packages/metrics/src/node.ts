// What needs Node: judges in folders.
export { INFLUENCES_FILE, readTrainingInfluences, writeTrainingInfluences } from './node/training-influences.ts';
export { JUDGE_FILES, loadJudge, saveJudge, type LoadJudgeOptions } from './node/judge-folder.ts';
