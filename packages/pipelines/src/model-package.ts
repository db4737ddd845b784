import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { shownValue, UserError } from '@langevin/tensor';

/** Names of npm packages; anything else (a path, say) is not one. */
const NAME = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/u;

/**
 * The folder of a model that is installed as a package, for {@link loadDiffusionFolder}: looked for from the working folder,
 * then from where the running program lies, then beside this library. Nothing in the package is run.
 *
 * @throws UserError when there is no such package, or it holds no model
 * @example
 * // not run: needs a model package
 * const model = await loadDiffusionFolder(modelPackage('@langevin/model-emoji'));
 */
export function modelPackage(name: string): string {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new UserError(`[pipelines/model-package] this is no name of a package: name=${shownValue(name)}. A folder needs no look-up.`);
  }
  const program = process.argv[1];
  for (const from of [join(process.cwd(), 'package.json'), program, import.meta.url]) {
    if (from === undefined) continue;
    try {
      return dirname(createRequire(from).resolve(`${name}/model_index.json`));
    } catch {
      continue;
    }
  }
  throw new UserError(
    `[pipelines/model-package] no model of that name is installed: name=${name}. Run "npm install ${name}", or give the folder of a model.`,
  );
}
