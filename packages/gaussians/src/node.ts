// What needs Node: scenes from disk, runs in a folder.
export { loadScene, type LoadSceneOptions } from './scenes/node/load-scene.ts';
