// Runs examples one after another in this process, each in a folder of its own, and tells the parent how each went.
// The engine is the reference engine, slow and exact, unless the example sets another: a line that an application needs not either.
import { inspect } from 'node:util';

const settle = () => new Promise((resolve) => setImmediate(resolve));
let current;
let failed;
process.on('unhandledRejection', (error) => (failed ??= error));
process.on('uncaughtException', (error) => (failed ??= error));
process.on('message', ({ examples, tensor, testing }) => {
  runAll(examples, tensor, testing).then(
    () => process.disconnect(),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function runAll(examples, tensor, testing) {
  const { setDefaultEngine } = await import(tensor);
  const { referenceEngine } = await import(testing);
  console.log = () => {};
  for (const { id, url, cwd } of examples) {
    current = id;
    failed = undefined;
    setDefaultEngine(referenceEngine());
    process.chdir(cwd);
    process.send({ started: current });
    try {
      await import(url);
      await settle();
    } catch (error) {
      failed ??= error;
    }
    process.send({ done: current, ...(failed === undefined ? {} : { error: inspect(failed) }) });
  }
}
