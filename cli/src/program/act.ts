import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import { type GlobalOptions, Session } from '../session.ts';
import type { World } from '../world.ts';

/** Makes an action of commander from a handler: arguments and options as commander hands them over, behind the session. */
export type Act = <Args extends unknown[]>(
  handler: (session: Session, ...args: Args) => Promise<ExitCode>,
) => (...args: [...Args, Command]) => Promise<void>;

/** Actions that leave the handler's exit code in `outcome`. */
export function actIn(world: World, outcome: { exitCode: ExitCode }): Act {
  return (handler) =>
    async (...given) => {
      const command = commandOf(given);
      const session = new Session(world, command.optsWithGlobals<GlobalOptions>());
      outcome.exitCode = await handler(session, ...argsOf(given));
    };
}

function commandOf(given: readonly unknown[]): Command {
  return given.at(-1) as Command;
}

function argsOf<Args extends unknown[]>(given: [...Args, Command]): Args {
  return given.slice(0, -1) as Args;
}
