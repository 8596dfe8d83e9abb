import ipaddr from 'ipaddr.js';

/** `deny`: only addresses of the public internet. `allow`: private and loopback ones too. Cloud metadata is refused under both. */
export type PrivateAddresses = 'allow' | 'deny';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Where clouds hand credentials to whoever asks from inside: link-local of AWS, Google, Azure, OpenStack and ECS; AWS over IPv6;
 * Alibaba; Azure's wire server; Oracle.
 */
const metadataRanges = ['169.254.0.0/16', 'fd00:ec2::/32', '100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'].map((range) =>
  ipaddr.parseCIDR(range),
);
const globalUnicast = ipaddr.parseCIDR('2000::/3');

/** Why a connection to this address is refused, or null. An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) counts as well. */
export function refusalOf(text: string, privateAddresses: PrivateAddresses): string | null {
  if (!ipaddr.isValid(text)) return 'it is no IP address';
  const address = ipaddr.process(text);
  const faces = [address, ...embeddedIn(address)];
  if (faces.some(isMetadata)) return 'it belongs to cloud metadata';
  if (privateAddresses === 'allow' || faces.every(isPublic)) return null;
  return `it is not public (${address.range()})`;
}

function isMetadata(address: Address): boolean {
  return metadataRanges.some((range) => range[0].kind() === address.kind() && address.match(range));
}

/** Every special range is private, and of IPv6 only 2000::/3 is public: the old IPv4-compatible addresses lie outside of it. */
function isPublic(address: Address): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(globalUnicast));
}

function embeddedIn(address: Address): ipaddr.IPv4[] {
  if (!('parts' in address)) return [];
  const bytes = address.toByteArray();
  const at = (from: number, flip = 0) => new ipaddr.IPv4(bytes.slice(from, from + 4).map((byte) => byte ^ flip));
  switch (address.range()) {
    case '6to4':
      return [at(2)];
    case 'teredo':
      return [at(4), at(12, 0xff)];
    case 'rfc6052':
    case 'rfc6145':
      return [at(12)];
    default:
      return bytes.slice(0, 12).every((byte) => byte === 0) ? [at(12)] : [];
  }
}
