/** A piece of a string: plain text, or an expression with the place of its source in the string. */
export type TemplatePart = { readonly text: string } | { readonly source: string; readonly at: number };

/** `unclosed` is the place of a `${{` without its `}}`. */
export type Template = { readonly parts: readonly TemplatePart[]; readonly unclosed: number | null };

const OPEN = '${{';
const ESCAPED_OPEN = '$${{';

/**
 * Splits a string at its expressions. `$${{` stands for a literal `${{`. The end `}}` is searched outside of string literals and
 * brackets, so that `${{ {'a': {'b': 1}} }}` is one expression.
 */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  let plain = '';
  let from = 0;
  for (;;) {
    const open = text.indexOf(OPEN, from);
    if (open < 0) break;
    if (open > 0 && text[open - 1] === '$') {
      plain += text.slice(from, open - 1) + OPEN;
      from = open - 1 + ESCAPED_OPEN.length;
      continue;
    }
    const start = open + OPEN.length;
    const end = endOfExpression(text, start);
    if (end < 0) return { parts, unclosed: open };
    plain += text.slice(from, open);
    if (plain !== '') parts.push({ text: plain });
    plain = '';
    const source = text.slice(start, end);
    parts.push({ source: source.trim(), at: start + (source.length - source.trimStart().length) });
    from = end + 2;
  }
  plain += text.slice(from);
  if (plain !== '' || parts.length === 0) parts.push({ text: plain });
  return { parts, unclosed: null };
}

/** True when the string must be looked at before it is used: it holds an expression or an escaped one. */
export function mayHoldExpression(text: string): boolean {
  return text.includes(OPEN);
}

function endOfExpression(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"' || char === "'") at = endOfString(text, at) - 1;
    else if (char === '{' || char === '[' || char === '(') depth++;
    else if (char === '}' && depth === 0 && text[at + 1] === '}') return at;
    else if (char === '}' || char === ']' || char === ')') depth = Math.max(0, depth - 1);
  }
  return -1;
}

/** The place behind a CEL string literal: with one or three quotes, raw (`r'…'`) or with escapes. */
function endOfString(text: string, open: number): number {
  const quote = text.charAt(open);
  const fence = text.startsWith(quote.repeat(3), open) ? quote.repeat(3) : quote;
  const raw = /(^|[^A-Za-z0-9_])[bB]?[rR][bB]?$/.test(text.slice(Math.max(0, open - 3), open));
  for (let at = open + fence.length; at < text.length; at++) {
    if (text[at] === '\\' && !raw) at++;
    else if (text.startsWith(fence, at)) return at + fence.length;
  }
  return text.length;
}
