import ts from 'typescript';

/**
 * `true` or `false` passed, without a name, to a function of this workspace: what the declarations of `no-boolean-parameter` do not show
 * (a type by another name, a default). What the platform and libraries ask for is not ours to change.
 */
export const noBooleanArgument = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      argument:
        '[lint/no-boolean-argument] a bare {{value}} is passed to a function of ours: function={{callee}}, argument={{position}}. '
        + 'Let it take a string union, or a named field of an options object.',
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    if (!services?.program) return {}; // without types, nobody knows whose function it is
    const checker = services.program.getTypeChecker();
    const check = (node) => {
      for (const [position, argument] of node.arguments.entries()) {
        if (argument.type !== 'Literal' || typeof argument.value !== 'boolean') continue;
        const signature = checker.getResolvedSignature(services.esTreeNodeToTSNodeMap.get(node));
        if (!isFlag(signature, position)) continue;
        const callee = context.sourceCode.getText(node.callee);
        context.report({ node: argument, messageId: 'argument', data: { value: String(argument.value), callee, position: position + 1 } });
      }
    };

    /** A parameter that the workspace declares as a boolean and nothing else, so not a value that may also be a number or a text. */
    const isFlag = (signature, position) => {
      const declaration = signature?.getDeclaration?.();
      const parameter = declaration?.parameters?.[position];
      if (parameter === undefined || parameter.dotDotDotToken !== undefined || declaration.parameters.length === 1) return false;
      if (/[\\/]node_modules[\\/]/u.test(declaration.getSourceFile().fileName)) return false;
      const type = checker.getNonNullableType(checker.getTypeAtLocation(parameter));
      return (type.flags & ts.TypeFlags.BooleanLike) !== 0;
    };
    return { CallExpression: check, NewExpression: check };
  },
};
