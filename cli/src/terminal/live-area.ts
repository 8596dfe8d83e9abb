import type { Screen } from '../world.ts';

// eslint-disable-next-line no-control-regex
const wholeEscape = /\u001b\[[0-9;]*m/y;

/** Lines at the bottom of a terminal that are drawn again in place. Only for a TTY. */
export class LiveArea {
  private drawn = 0;

  constructor(private readonly screen: Screen) {}

  /** Replaces what was drawn. Lines are cut to the width, since a wrapped line would count as two; more than fit are dropped at the top. */
  draw(lines: readonly string[]): void {
    const fitting = lines.slice(-Math.max(1, this.screen.rows - 1)).map((line) => cut(line, this.screen.columns));
    this.screen.write(`${this.back()}${fitting.map((line) => `${line}\n`).join('')}`);
    this.drawn = fitting.length;
  }

  /** Removes what was drawn. */
  clear(): void {
    this.screen.write(this.back());
    this.drawn = 0;
  }

  private back(): string {
    return this.drawn === 0 ? '' : `\u001b[${this.drawn}A\u001b[0J`;
  }
}

/** The text's first `width` characters; colour escapes count nothing and are kept. */
export function cut(text: string, width: number): string {
  let shown = '';
  let left = width;
  for (let at = 0; at < text.length;) {
    wholeEscape.lastIndex = at;
    const piece = wholeEscape.exec(text)?.[0];
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (piece === undefined && left-- <= 0) {
      at += character.length;
      continue;
    }
    shown += piece ?? character;
    at += (piece ?? character).length;
  }
  return shown;
}
