// What needs Node: judges in folders.
export { JUDGE_FILES, loadJudge, saveJudge, type LoadJudgeOptions } from './node/judge-folder.ts';
