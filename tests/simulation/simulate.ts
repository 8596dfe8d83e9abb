/**
 * Simulates the protocol: `npm run sim -- --seeds 1000 --start 1`, and one seed again with `--replay SEED --trace`. docs/simulation.md.
 */
import { installVirtualGlobals } from './virtual/globals.ts';

installVirtualGlobals();
// After the clocks were replaced: what these modules import must see the virtual ones.
const { main } = await import('./main.ts');
process.exit(await main(process.argv.slice(2)));
