/** Why an expression is refused when it is published. `at` is the character of the source, where it is known. */
export interface ExpressionFault {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly at: number | null;
}

/**
 * Why an evaluation ended without a value: a code `expression.*` and a sentence. It stays free of `#core`, because the evaluation
 * thread is started from the sources without a build, where only plain TypeScript is read.
 */
export class ExpressionError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ExpressionError';
    this.code = code;
  }
}
