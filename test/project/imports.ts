/** What a TypeScript file imports, read from its syntax tree. */
import { parseAst } from 'vitest/node';

/** All specifiers: static, re-exported, dynamic, `import type`, `import('x').T`, `require('x')`. */
export function importsOf(path: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (!isNode(node)) return;
    const specifier = specifierOf(node);
    if (specifier !== null) found.push(literalOf(path, specifier));
    Object.values(node).forEach(visit);
  };
  visit(parseAst(source, { lang: 'ts' }));
  return found;
}

/** A node or a list of nodes: both are walked by their values. */
type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

/** The node that names what is imported; null where nothing is. */
function specifierOf(node: Node): unknown {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node.source ?? null;
    case 'TSExternalModuleReference':
      return node.expression;
    case 'CallExpression':
      return isNode(node.callee) && node.callee.name === 'require' && Array.isArray(node.arguments)
        ? node.arguments[0]
        : null;
    default:
      return null;
  }
}

/** A computed specifier cannot be checked, so it stands for itself and matches no rule. */
function literalOf(path: string, node: unknown): string {
  return isNode(node) && typeof node.value === 'string' ? node.value : `<computed in ${path}>`;
}
