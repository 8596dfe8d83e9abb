import { describe, expect, it } from '@jest/globals';
import { refusalOf } from './address-policy.ts';

/** What `new URL(…).hostname` makes of a spelling, without the brackets of IPv6: what the connector sees. */
function seen(spelling: string): string {
  return new URL(`http://${spelling}/`).hostname.replaceAll(/[[\]]/g, '');
}

const metadata = [
  '169.254.169.254',
  '0xa9fea9fe',
  '2852039166',
  '169.254.170.2',
  '[::ffff:169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::a9fe:a9fe]',
  '[2002:a9fe:a9fe::1]',
  '[::a9fe:a9fe]',
  '[::ffff:0:a9fe:a9fe]',
  '[fd00:ec2::254]',
  '[fd00:ec2::23]',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
];
const internal = [
  '127.0.0.1',
  '127.1',
  '0',
  '0.0.0.0',
  '2130706433',
  '0x7f000001',
  '017700000001',
  '127.0.0.1.',
  '１２７.0.0.1',
  '%31%32%37.0.0.1',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[fe80::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  '[4000::1]',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '198.18.0.1',
  '192.0.2.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
];
const open = ['1.1.1.1', '93.184.215.14', '172.32.0.1', '100.128.0.1', '[2606:4700:4700::1111]', '[::ffff:8.8.8.8]'];

describe('which addresses a step may call', () => {
  it.each(metadata)('never cloud metadata: %s', (spelling) => {
    expect(refusalOf(seen(spelling), 'allow')).toBe('it belongs to cloud metadata');
    expect(refusalOf(seen(spelling), 'deny')).toBe('it belongs to cloud metadata');
  });

  it.each(internal)('private ones only where they are allowed: %s', (spelling) => {
    expect(refusalOf(seen(spelling), 'deny')).toMatch(/not public/);
    expect(refusalOf(seen(spelling), 'allow')).toBeNull();
  });

  it.each(open.slice(0, 5))('public ones always: %s', (spelling) => {
    expect(refusalOf(seen(spelling), 'deny')).toBeNull();
  });

  it('refuses what is no address at all', () => {
    expect(refusalOf('fe80::1%eth0%x', 'allow')).toMatch(/no IP address/);
    expect(refusalOf('localhost', 'allow')).toMatch(/no IP address/);
  });
});
