import { dirname, resolve } from 'node:path';
import { memberOf, whyForbidden, whyRuntimeForbidden } from '../layers.js';

const isTest = (file) => /[\\/]test[\\/]|\.test\.ts$/u.test(file);

/** Imports go one way only (layers.js), and packages reach each other by public name, never by path. */
export const importDirection = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      direction:
        "[lint/import-direction] '{{from}}' must not import '{{to}}': {{reason}}. Move the code down, or pass the thing as an argument.",
      runtime:
        "[lint/import-direction] '{{from}}' must not import an engine's runtime: {{reason}}. Go through the Engine interface of "
        + '@langevin/tensor.',
      path: "[lint/import-direction] '{{from}}' reaches into '{{to}}' by path: '{{specifier}}'. Import '@langevin/{{to}}' instead.",
    },
  },
  create(context) {
    const from = memberOf(context.filename);
    if (from === undefined) return {};

    const check = (source) => {
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
      const specifier = source.value;
      const report = (messageId, data) => context.report({ node: source, messageId, data: { from, specifier, ...data } });

      if (specifier.startsWith('.')) {
        const to = memberOf(resolve(dirname(context.filename), specifier));
        if (to !== undefined && to !== from) report('path', { to });
        return;
      }
      const runtime = whyRuntimeForbidden(from, specifier);
      if (runtime !== undefined) report('runtime', { reason: runtime });
      const scoped = /^@langevin\/([^/]+)/u.exec(specifier);
      if (scoped === null) return;
      const reason = whyForbidden(from, scoped[1], { test: isTest(context.filename) });
      if (reason !== undefined) report('direction', { to: scoped[1], reason });
    };

    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      // `import('@langevin/x').Type` in a type position is an import too.
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
    };
  },
};
