import type { GenreRow } from './gold.ts';

const barHeight = 22;
const labelWidth = 170;
const barWidthMax = 520;
const valueWidth = 110;
const top = 44;

/** The gross of each genre as bars, in an SVG that needs no fonts or scripts from elsewhere. */
export function barChart(title: string, genres: readonly GenreRow[]): string {
  const most = Math.max(...genres.map((row) => row.grossUsd), 1);
  const [width, height] = [labelWidth + barWidthMax + valueWidth, top + genres.length * barHeight + 12];
  const bars = genres.map((row, at) => {
    const [y, length] = [top + at * barHeight, Math.max(1, Math.round((row.grossUsd / most) * barWidthMax))];
    return [
      `  <text x="${labelWidth - 8}" y="${y + 15}" text-anchor="end">${escaped(row.genre)}</text>`,
      `  <rect x="${labelWidth}" y="${y + 3}" width="${length}" height="${barHeight - 6}" fill="#2f6f9f"/>`,
      `  <text x="${labelWidth + length + 6}" y="${y + 15}">${(row.grossUsd / 1e9).toFixed(1)} bn $</text>`,
    ].join('\n');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `  <rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `  <text x="${labelWidth}" y="26" font-size="16">${escaped(title)}: worldwide gross</text>`,
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}
