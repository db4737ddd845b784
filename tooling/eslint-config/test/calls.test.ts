import { RuleTester } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, it } from 'vitest';
import { noBooleanArgument } from '../src/rules/no-boolean-argument.js';
import { noBooleanParameter } from '../src/rules/no-boolean-parameter.js';

RuleTester.describe = describe;
RuleTester.it = it;

const parser = tseslint.parser as never;

new RuleTester({ languageOptions: { parser } }).run('no-boolean-parameter', noBooleanParameter as never, {
  valid: [
    "export function draw(scene: Scene, background: 'black' | 'white'): void {}",
    'export function draw(scene: Scene, options: { shadows?: boolean } = {}): void {}',
    'export const setVisible = (visible: boolean): void => {};',
    'function check(holds: boolean, message: string): void {}',
    'function check(condition: boolean, message: string): asserts condition {}',
    'export function full(shape: number[], value: number | boolean): void {}',
    'class Page { set visible(visible: boolean) {} }',
    'export function draw(scene: Scene, visible: boolean[]): void {}',
  ],
  invalid: [
    'export function draw(scene: Scene, shadows: boolean): void {}',
    'export function draw(scene: Scene, shadows?: boolean): void {}',
    'export function draw(scene: Scene, shadows: boolean | undefined): void {}',
    'export function draw(scene: Scene, shadows: true | false): void {}',
    'const draw = (scene, shadows = true) => {};',
    'class Page { draw(scene: Scene, shadows: boolean): void {} }',
    'class Page { constructor(scene: Scene, private readonly shadows: boolean) {} }',
    'interface Page { draw(scene: Scene, shadows: boolean): void }',
    'type Draw = (scene: Scene, shadows: boolean) => void;',
    'declare function draw(scene: Scene, shadows: boolean): void;',
  ].map((code) => ({ code, errors: [{ messageId: 'parameter' }] })),
});

const typed = new RuleTester({
  languageOptions: { parser, parserOptions: { projectService: { allowDefaultProject: ['*.ts'] }, tsconfigRootDir: import.meta.dirname } },
});
const declared = 'type Flag = boolean; declare function draw(scene: number, shadows: Flag): void;';

typed.run('no-boolean-argument', noBooleanArgument as never, {
  valid: [
    'const view = new DataView(new ArrayBuffer(4)); view.getUint32(0, true);',
    'declare function full(size: number, value: number | boolean): void; full(2, true);',
    'declare function setVisible(visible: boolean): void; setVisible(true);',
    'declare function same<T>(a: T, b: T): boolean; same(true, false);',
    `${declared} declare const shadows: boolean; draw(1, shadows);`,
  ].map((code) => ({ code, filename: 'case.ts' })),
  invalid: [
    `${declared} draw(1, true);`,
    'class Page { constructor(readonly size: number, shadows = false) {} } new Page(1, true);',
    'function draw(scene: number, shadows?: boolean): void {} draw(1, false);',
  ].map((code) => ({ code, filename: 'case.ts', errors: [{ messageId: 'argument' }] })),
});
