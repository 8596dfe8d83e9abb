/**
 * `npm run bench`: what FlowForge does on this machine, beside what the machine allows and what others do (options: `--help`, or options.ts).
 */
import { readOptions } from './options.ts';
import { runWorkloads } from './workloads.ts';

const options = readOptions(process.argv.slice(2));
process.exit((await runWorkloads(options)) ? 0 : 1);
