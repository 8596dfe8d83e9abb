import { silverStep } from './silver-step.ts';

/** Gross and budget in US dollars. The source writes 0 for "not known"; the world can never have paid less than the United States alone. */
export const silverMoney = silverStep('money', 'Keeps films whose gross and budget are both known.', (film) => {
  const world = film['Worldwide Gross'] ?? 0;
  const grossUsd = Math.max(world, film['US Gross'] ?? 0);
  const budgetUsd = film['Production Budget'] ?? 0;
  if (grossUsd <= 0) return { rejected: 'gross.unknown' };
  if (budgetUsd <= 0) return { rejected: 'budget.unknown' };
  return { value: { grossUsd, budgetUsd }, repaired: grossUsd !== world };
});
