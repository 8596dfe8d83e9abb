/** Secrets that stand in public files (this repository's compose file among them) or that everybody tries first. */
const known = new Set([
  'devsecret',
  'devpassword',
  'changeme',
  'change-me',
  'secret',
  'password',
  'passwort',
  'postgres',
  'flowforge',
  'admin',
  'example',
  'test',
  'default',
  '123456',
  'letmein',
]);
const placeholder = /^(<.*>|\$\{.*\}|x{3,}|\*{3,}|\.{3,}|(your|my|replace|change|insert|put|todo)[-_ ].*|(replace|change)me.*|todo)$/i;
const neverAllowed = /\bdev(secret|password)\b/;

/** Says why a value must not be used as it is, or nothing. Looks into URLs for their password. Does not repeat the value. */
export function weakSecretFault(value: string | undefined, isSecret: boolean): string | undefined {
  if (!value) return undefined;
  const candidates = [isSecret ? value : undefined, passwordOf(value)];
  if (candidates.some((candidate) => candidate !== undefined && isWeak(candidate))) return 'holds a secret that everybody knows';
  return neverAllowed.test(value) ? 'holds a secret of the development setup' : undefined;
}

function isWeak(secret: string): boolean {
  return known.has(secret.toLowerCase()) || placeholder.test(secret);
}

function passwordOf(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const { password } = new URL(value);
  return password === '' ? undefined : decodeURIComponent(password);
}
