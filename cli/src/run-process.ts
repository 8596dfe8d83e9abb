import { hasCode } from './errors/has-code.ts';
import { EXIT } from './exit-codes.ts';
import { processWorld } from './process-world.ts';
import { runCli } from './run-cli.ts';

// `flowforge runs | head`: the reader has seen enough.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => process.exit(hasCode(error, 'EPIPE') ? EXIT.brokenPipe : EXIT.failed));
}
// Not process.exit: what was written to a pipe is still on its way, and `dev` has only begun.
process.exitCode = await runCli(process.argv.slice(2), processWorld());
