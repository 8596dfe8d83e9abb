import { CliError } from '../errors/cli-error.ts';
import { EXIT } from '../exit-codes.ts';

/** Why a request got no answer, in words. Node hides the reason in the cause. */
export function unreachableError(url: string, error: unknown): CliError {
  const code = codeOf(error);
  return new CliError(EXIT.unreachable, 'cli.unreachable', `${url} cannot be reached: ${reasonOf(code, error)}.`, remedyOf(code), {
    server: url,
    reason: code ?? null,
  });
}

export function interruptedError(): CliError {
  return new CliError(EXIT.interrupted, 'cli.interrupted', 'Interrupted.');
}

/** True when the request cannot have arrived, or when nobody knows: the server has decided nothing that we were told. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof CliError && error.exitCode === EXIT.unreachable;
}

function reasonOf(code: string | undefined, error: unknown): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is unknown';
    case 'TimeoutError':
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no answer in time';
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'the connection broke';
    default:
      return causeText(error);
  }
}

function remedyOf(code: string | undefined): string {
  if (code?.includes('CERT') || code?.includes('SIGNED'))
    return 'Trust the certificate with NODE_EXTRA_CA_CERTS=<file>, or compare the URL.';
  return 'Start a local server with: flowforge dev. Another server: FLOWFORGE_URL, or flowforge config set <context> --url <url>.';
}

function codeOf(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at.name === 'TimeoutError') return at.name;
    const code: unknown = Reflect.get(at, 'code');
    if (typeof code === 'string') return code;
  }
  return undefined;
}

function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
