import tseslint from 'typescript-eslint';
import stylistic from '@stylistic/eslint-plugin';
import { importDirection } from './rules/import-direction.js';
import { noBooleanArgument } from './rules/no-boolean-argument.js';
import { noBooleanParameter } from './rules/no-boolean-parameter.js';

const local = {
  rules: { 'import-direction': importDirection, 'no-boolean-argument': noBooleanArgument, 'no-boolean-parameter': noBooleanParameter },
};

/** Rules that need no type information, for every source file of the workspace. */
const everywhere = {
  eqeqeq: 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'no-debugger': 'error',
  'no-unused-labels': 'error',
  'max-lines': ['error', { max: 600 }],
  // Code is wrapped by prettier; this holds for what it leaves alone, which is comments and long texts.
  '@stylistic/max-len': ['error', { code: 140, ignoreUrls: true }],
};

/** How functions are called: few positional parameters, and no boolean whose meaning the call does not say. */
const calls = {
  '@typescript-eslint/max-params': ['error', { max: 3 }],
  'local/no-boolean-parameter': 'error',
};

/** Rules with type information: what the compiler accepts and a reader would regret. */
const typed = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/ban-ts-comment': 'error',
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
  ],
};

/**
 * The flat configuration of the workspace.
 *
 * @param {{ rootDir: string, typeAware?: boolean }} options `typeAware: false` leaves out the rules that need a
 *   TypeScript program; the tests of single rules use it to run on text.
 * @returns {import('eslint').Linter.Config[]}
 */
export function langevinConfig({ rootDir, typeAware = true }) {
  return [
    {
      ignores: [
        '**/dist/**',
        '**/node_modules/**',
        '**/coverage/**',
        '**/.turbo/**',
        '**/.examples/**',
        '**/fixtures/**',
        '**/*.generated.ts',
        'packages/*/assembly/**',
        'runs/**',
        'out/**',
        'docs/**',
      ],
    },
    { linterOptions: { reportUnusedDisableDirectives: 'error' } },
    {
      files: ['**/*.{js,mjs,ts}'],
      plugins: { local, '@stylistic': stylistic },
      rules: { ...everywhere, 'local/import-direction': 'error' },
    },
    {
      files: ['**/*.ts'],
      languageOptions: {
        parser: tseslint.parser,
        parserOptions: typeAware ? { projectService: { allowDefaultProject: ['*.ts'] }, tsconfigRootDir: rootDir } : {},
      },
      plugins: { '@typescript-eslint': tseslint.plugin },
      rules: typeAware ? typed : {},
    },
    {
      files: ['{packages,apps}/*/src/**/*.ts', 'examples/src/**/*.ts'],
      plugins: { local },
      rules: typeAware ? { ...calls, 'local/no-boolean-argument': 'error' } : calls,
    },
    {
      files: ['packages/*/src/**/*.ts'],
      rules: {
        'no-restricted-exports': [
          'error',
          { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } },
        ],
      },
    },
  ];
}
