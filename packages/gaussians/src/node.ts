// What needs Node: scenes from disk.
export { loadScene, openSceneFolder, type LoadSceneOptions } from './scenes/node/load-scene.ts';
