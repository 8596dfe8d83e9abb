import { silverStep } from './silver-step.ts';

/** The last year that the table covers. A later one is a year of two digits that somebody put into the wrong century (Dec 15 2039). */
const lastYear = 2011;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Release dates as ISO dates. */
export const silverDates = silverStep('dates', 'Makes every release date an ISO date of the right century.', ({ 'Release Date': text }) => {
  const [, month = '', day = '', year = ''] = /^([A-Z][a-z]{2}) (\d{2}) (\d{4})$/.exec(text ?? '') ?? [];
  if (!months.includes(month)) return { rejected: 'date.unreadable' };
  const repaired = Number(year) > lastYear;
  const fullYear = repaired ? Number(year) - 100 : Number(year);
  return { value: `${fullYear}-${String(months.indexOf(month) + 1).padStart(2, '0')}-${day}`, repaired };
});
