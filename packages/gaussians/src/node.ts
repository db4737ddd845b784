// What needs Node: scenes from disk, runs in a folder.
export { loadScene, openSceneFolder, type LoadSceneOptions } from './scenes/node/load-scene.ts';
export { folderStore, plannedSteps } from './training/node/folder-store.ts';
export { trainSplatsInFolder, type TrainInFolderOptions } from './training/node/train-in-folder.ts';
export { trainDynamicInFolder, type TrainDynamicInFolderOptions } from './training/node/train-dynamic-in-folder.ts';
export type { RunFolderOptions } from './training/node/run-folder.ts';
