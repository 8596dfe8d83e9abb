import { defineHandlers } from '#sdk';
import { bronze } from './bronze.ts';
import { gold } from './gold.ts';
import { publish } from './publish.ts';
import { silverDates } from './silver-dates.ts';
import { silverMoney } from './silver-money.ts';
import { silverRatings } from './silver-ratings.ts';
import { silverTitles } from './silver-titles.ts';

/** What a worker loads to run the medallion workflow: `HANDLERS=./templates/medallion/steps/index.ts`. */
export default defineHandlers([bronze, silverTitles, silverDates, silverMoney, silverRatings, gold, publish]);
