// Texts come from definitions, handlers and the outside world: an escape sequence in one of them could rewrite the screen.
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with control characters made visible; tabs and line breaks stay. */
export function printable(text: string): string {
  return text.replace(CONTROLS, visible);
}

/** The same on one line. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim();
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x24_00 + code);
  return code === 0x7f ? '␡' : '\uFFFD';
}
