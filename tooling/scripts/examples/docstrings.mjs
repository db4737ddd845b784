// Finds the examples in the doc comments of a source file.
import ts from 'typescript';
import { notRunBecause } from './compile.mjs';

/**
 * The code of all `@example` tags.
 *
 * @returns {{ examples: { line: number, code: string, notRun?: string }[], faults: string[] }} `line` is that of the first line of code,
 *   counted from 1; `notRun` is the reason of an example that says it cannot run everywhere; `faults` names tags that hold no code or
 *   belong to no declaration
 */
export function extractDocExamples(path, source) {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ES2022, true);
  const found = new Map();
  const visit = (node) => {
    for (const doc of node.jsDoc ?? []) {
      for (const tag of doc.tags ?? []) if (tag.tagName.text === 'example') found.set(tag.pos, tag);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);

  const faults = [];
  const examples = [];
  for (const tag of [...found.values()].sort((a, b) => a.pos - b.pos)) {
    const example = codeOf(tag, source);
    if (example === undefined)
      faults.push(`line ${lineAt(source, tag.pos)}: @example holds no code. Put it on the lines that follow the tag.`);
    else examples.push(example);
  }
  const written = [...source.matchAll(/^[^\S\n]*(?:\/\*\*|\*)[^\S\n]+@example\b/gmu)].length;
  if (written !== found.size) {
    faults.push(
      `${written} @example tags are written and ${found.size} belong to a declaration. Put the comment right before what it describes.`,
    );
  }
  return { examples, faults };
}

/** The tag's lines without the comment's stars, from the first line with code to the last. */
function codeOf(tag, source) {
  const from = tag.tagName.end;
  // The parser ends a tag at the comment's end, after the last star, or at the next tag.
  const text = source
    .slice(from, tag.end)
    .replace(/\*\/\s*$/u, '')
    .replace(/\*\s*$/u, '');
  const lines = text.split('\n').map((line, i) => (i === 0 ? line.trimStart() : line.replace(/^\s*\* ?/u, '')).trimEnd());
  // A fence shows nothing more than its content.
  const kept = lines.map((line) => (/^```/u.test(line) ? '' : line));
  const first = kept.findIndex((line) => line.trim() !== '');
  if (first < 0) return undefined;
  const code = `${kept.slice(first).join('\n').trimEnd()}\n`;
  const notRun = notRunBecause(kept[first]);
  return { line: lineAt(source, from) + first, code, ...(notRun === undefined ? {} : { notRun }) };
}

const lineAt = (source, position) => source.slice(0, position).split('\n').length;
