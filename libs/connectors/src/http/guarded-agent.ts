import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { nonRetryable } from '#sdk';
import { refusalOf, type PrivateAddresses } from './address-policy.ts';

/** All addresses of a name, or an error. Tests hand in their own; everyone else asks the system. */
export type Resolve = (hostname: string, done: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

export const resolveBySystem: Resolve = (hostname, done) => systemLookup(hostname, { all: true }, done);

const connectTimeoutMs = 10_000;
const connectionsPerOriginMax = 64;

/**
 * A connection pool that connects only where it may. A name is resolved once, every address in the answer is checked, and the
 * connection goes to those very addresses, so that a second, different answer (DNS rebinding) is never asked for. The check sits in
 * the connector: each hop of a redirect passes it. Proxy environment variables are ignored.
 */
export function guardedAgent(privateAddresses: PrivateAddresses, resolve: Resolve): Agent {
  const refuse = (host: string, address: string): Error | null => {
    const why = refusalOf(address, privateAddresses);
    return why === null ? null : nonRetryable('http.address_forbidden', `${host} may not be called from here: ${why}.`);
  };
  const lookup: LookupFunction = (hostname, options, done) => {
    resolve(hostname, (error, addresses) => {
      const first = addresses?.[0];
      if (error || !first) return done(error ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
      // One forbidden address spoils the answer: whoever mixes public and private ones does it to get past this check.
      const refusal = addresses.map(({ address }) => refuse(hostname, address)).find((found) => found !== null);
      if (refusal) return done(refusal, '');
      return options.all ? done(null, [...addresses]) : done(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ lookup, timeout: connectTimeoutMs, allowH2: false });
  return new Agent({
    connections: connectionsPerOriginMax,
    // Neither limit of undici's own: a step has its timeout.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (options, done) => {
      const refusal = isIP(options.hostname) > 0 ? refuse(options.hostname, options.hostname) : null;
      if (refusal) done(refusal, null);
      else connect(options, done);
    },
  });
}
