/** What the process answers its caller; documented in docs/cli.md and in `flowforge --help`, and stable. */
export const EXIT = {
  ok: 0,
  /** The run did not succeed, a check failed, or the server made a mistake. */
  failed: 1,
  usage: 2,
  notFound: 3,
  auth: 4,
  conflict: 5,
  invalid: 6,
  unreachable: 7,
  /** `--timeout` passed; the run goes on. As the command `timeout` answers. */
  timedOut: 124,
  interrupted: 130,
  /** The reader of our output has gone, as SIGPIPE would say. */
  brokenPipe: 141,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One line each, for the help. */
export const EXIT_TEXTS: Readonly<Record<ExitCode, string>> = {
  0: 'done; with --wait: the run SUCCEEDED',
  1: 'the run FAILED, was CANCELLED or TIMED_OUT; a check failed; a fault of the server',
  2: 'the command line cannot be understood',
  3: 'there is nothing of that id or name',
  4: 'no token, a wrong one, or its role may not do this',
  5: 'the state does not allow it, or somebody was faster',
  6: 'the definition or the input is invalid',
  7: 'the server cannot be reached, or cannot answer right now',
  124: '--timeout has passed; the run goes on',
  130: 'interrupted (Ctrl-C); a run that was watched goes on',
  141: 'the reader of the output has gone (as in `flowforge runs | head`)',
};
