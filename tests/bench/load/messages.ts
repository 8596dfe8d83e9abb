/** A request that is sent again and again. */
export interface Request {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the load driver is asked to do. */
export type Order =
  /** `count` requests, over as many connections. */
  | { readonly kind: 'many'; readonly requests: readonly Request[]; readonly count: number; readonly connections: number }
  /** Requests at a steady rate for a time, whether answers come or not, as far as the connections reach. */
  | {
      readonly kind: 'paced';
      readonly request: Request;
      readonly perSecond: number;
      readonly seconds: number;
      readonly connections: number;
    }
  /** Starts runs one after the other, each when the one before has been marked by its step, and a gap has passed. */
  | { readonly kind: 'starts'; readonly request: Request; readonly count: number; readonly gapMs: number; readonly withinMs: number };

/** What came of it. Latencies in milliseconds: from the request to its answer, or to the moment in which the run's step began. */
export interface Outcome {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
  /** Answers that were not 2xx, and the first of them in words. */
  readonly refused: number;
  readonly firstRefusal: string | null;
}

export type DriverMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly reason: string };
