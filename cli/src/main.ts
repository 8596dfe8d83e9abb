import { hasCode } from './errors/has-code.ts';
import { EXIT } from './exit-codes.ts';
import { processWorld } from './process-world.ts';
import { runCli } from './run-cli.ts';

// `flowforge runs | head` takes what it wants and goes: that is no fault of ours.
process.stdout.on('error', (error) => {
  if (hasCode(error, 'EPIPE')) process.exit(EXIT.brokenPipe);
  throw error;
});
process.exitCode = await runCli(process.argv.slice(2), processWorld());
