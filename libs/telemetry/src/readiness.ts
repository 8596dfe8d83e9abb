import { redactText } from './redact.ts';

/** `degraded` means: works, with something missing that it can live without for a while. */
export type CheckStatus = 'ok' | 'degraded' | 'down';

/** Looks at one thing. Returning nothing is `ok`; throwing is `down`, with the error's message as the detail. */
export type ReadinessCheck = () => Promise<void | { readonly status: CheckStatus; readonly detail?: string }>;

export interface Readiness {
  /** The worst of the checks. */
  readonly status: CheckStatus;
  readonly checks: Readonly<Record<string, { readonly status: CheckStatus; readonly detail?: string; readonly milliseconds: number }>>;
}

/** Probes give up after two seconds: the answer that something hangs has to come before. */
const checkTimeoutMs = 1_500;
const order: readonly CheckStatus[] = ['ok', 'degraded', 'down'];

/** Runs all checks at once, each with a time limit, and never throws. Details carry no secrets. */
export async function evaluateReadiness(checks: Readonly<Record<string, ReadinessCheck>>, timeoutMs = checkTimeoutMs): Promise<Readiness> {
  const entries = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await evaluate(check, timeoutMs)] as const));
  const worst = Math.max(0, ...entries.map(([, { status }]) => order.indexOf(status)));
  return { status: order[worst] ?? 'down', checks: Object.fromEntries(entries) };
}

/** The HTTP status that says it: an orchestrator stops sending traffic on 503 only. */
export function readinessCode({ status }: Readiness): 200 | 503 {
  return status === 'down' ? 503 : 200;
}

async function evaluate(check: ReadinessCheck, timeoutMs: number) {
  const started = performance.now();
  const result = await withLimit(check, timeoutMs).catch((error: unknown) => ({ status: 'down' as const, detail: messageOf(error) }));
  const detail = result?.detail === undefined ? {} : { detail: redactText(result.detail) };
  return { status: result?.status ?? ('ok' as const), ...detail, milliseconds: Math.round(performance.now() - started) };
}

async function withLimit(check: ReadinessCheck, timeoutMs: number) {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([check(), limit]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
