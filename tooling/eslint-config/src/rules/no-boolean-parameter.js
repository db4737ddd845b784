/**
 * `draw(scene, true)` tells a reader nothing: a choice between two is a string union, or a named field of an options object.
 *
 * A parameter is at fault when its type is written as boolean (also `boolean | undefined`, `true`, `false`) or its default is one.
 * No call reads worse for these, which are left alone: a condition that is checked, by the name `holds` or in a function that
 * `asserts`; the only parameter (`setVisible(visible)`, a callback that is told a state); setters; data that may be a number or a text too.
 */
export const noBooleanParameter = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      parameter:
        '[lint/no-boolean-parameter] a parameter is a boolean: name={{name}}. Take a string union, or a named field of an options object.',
    },
  },
  create(context) {
    const check = (node) => {
      if (node.returnType?.typeAnnotation?.asserts === true) return;
      if (node.parent?.type === 'MethodDefinition' && node.parent.kind === 'set') return;
      if (node.params.length === 1) return;
      for (const param of node.params) {
        if (isBoolean(param) && nameOf(param) !== 'holds')
          context.report({ node: param, messageId: 'parameter', data: { name: nameOf(param) } });
      }
    };
    return Object.fromEntries(FUNCTIONS.map((type) => [type, check]));
  },
};

const FUNCTIONS = [
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'TSDeclareFunction',
  'TSEmptyBodyFunctionExpression',
  'TSMethodSignature',
  'TSFunctionType',
  'TSCallSignatureDeclaration',
];

function isBoolean(param) {
  switch (param.type) {
    case 'AssignmentPattern':
      return isBooleanLiteral(param.right) || isBoolean(param.left);
    case 'TSParameterProperty':
      return isBoolean(param.parameter);
    case 'Identifier':
      return isBooleanType(param.typeAnnotation?.typeAnnotation);
    default:
      return false;
  }
}

const isBooleanLiteral = (node) => node?.type === 'Literal' && typeof node.value === 'boolean';

const isNothing = (node) => node.type === 'TSUndefinedKeyword' || node.type === 'TSNullKeyword';

function isBooleanType(node) {
  if (node === undefined || node === null) return false;
  if (node.type === 'TSBooleanKeyword') return true;
  if (node.type === 'TSLiteralType') return isBooleanLiteral(node.literal);
  return node.type === 'TSUnionType' && !node.types.every(isNothing) && node.types.every((type) => isNothing(type) || isBooleanType(type));
}

const nameOf = (param) => param.name ?? param.left?.name ?? param.parameter?.name ?? param.parameter?.left?.name ?? '(unnamed)';
