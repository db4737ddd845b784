/** A Markdown table; columns of numbers are aligned to the right. */
export function markdownTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const text = rows.map((row) => row.map(String));
  const numeric = header.map((_, i) => i > 0 && text.every((row) => /^[-\d.]/.test(row[i] ?? '')));
  return [
    `| ${header.join(' | ')} |`,
    `|${numeric.map((right) => (right ? '---:' : '---')).join('|')}|`,
    ...text.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

export function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}
