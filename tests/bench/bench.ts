/**
 * `npm run bench`: what FlowForge does on this machine, beside what the machine allows and what others do (options: `--help`, or options.ts).
 */
import { runGrowth } from './growth/growth.ts';
import { runGuard } from './guard/guard.ts';
import { readOptions } from './options.ts';
import { runSoak } from './soak/soak.ts';
import { runWorkloads } from './workloads.ts';

const run = { workloads: runWorkloads, growth: runGrowth, soak: runSoak, guard: runGuard };
const options = readOptions(process.argv.slice(2));
process.exit((await run[options.mode](options)) ? 0 : 1);
