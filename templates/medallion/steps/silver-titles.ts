import { silverStep } from './silver-step.ts';

/** Titles as text. Some are numbers in the source (1776, 300), some have doubled blanks, some have their accents garbled. */
export const silverTitles = silverStep('titles', 'Makes every title a clean text.', ({ Title }) => {
  if (Title === null || Title === undefined || String(Title).trim() === '') return { rejected: 'title.missing' };
  const value = ungarbled(String(Title)).trim().replaceAll(/\s+/g, ' ');
  return { value, repaired: value !== Title };
});

const upperHalf = Uint8Array.from({ length: 128 }, (_, at) => 128 + at);
const macintosh = new Map(Array.from(new TextDecoder('macintosh').decode(upperHalf), (letter, at) => [letter, 128 + at]));

/** Undoes one mistake of the source: text in Windows-1252 that was read as Mac Roman (`AmÈlie`). What cannot come from it stays. */
function ungarbled(text: string): string {
  const bytes = Array.from(text, (letter) => (letter.charCodeAt(0) < 128 ? letter.charCodeAt(0) : macintosh.get(letter)));
  const known = bytes.filter((byte) => byte !== undefined);
  return known.length === bytes.length ? new TextDecoder('windows-1252').decode(Uint8Array.from(known)) : text;
}
