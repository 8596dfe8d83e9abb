/** Where text goes. `columns` and `rows` are those of the terminal, or a usual one's. */
export interface Screen {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** All that a command touches outside of itself. */
export interface World {
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly env: Environment;
  /** Relative paths start here. */
  readonly cwd: string;
  readonly home: string;
  now(): number;
  /** Everything that comes on standard input. */
  readStdin(): Promise<string>;
  /** Aborted by Ctrl-C. Whoever asks for it takes the signal over; before that Ctrl-C ends the process. */
  readonly interrupted: AbortSignal;
}
