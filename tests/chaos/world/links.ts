import { TcpProxy } from '#testing';
import type { LinkName } from './types.ts';

/** The proxies of a world by name. */
export class Links {
  private readonly byName = new Map<LinkName, TcpProxy>();

  async add(name: LinkName, targetPort: number): Promise<TcpProxy> {
    const proxy = await TcpProxy.listen(targetPort);
    this.byName.set(name, proxy);
    return proxy;
  }

  get(name: LinkName): TcpProxy {
    const proxy = this.byName.get(name);
    if (!proxy) throw new Error(`There is no link "${name}".`);
    return proxy;
  }

  has(name: LinkName): boolean {
    return this.byName.has(name);
  }

  names(ending = ''): readonly LinkName[] {
    return [...this.byName.keys()].filter((name) => name.endsWith(ending));
  }

  /** Links of members to one of the two servers, without those between the servers. */
  ofMembers(server: 'postgres' | 'redis'): readonly LinkName[] {
    return this.names(`> ${server}`).filter((name) => !/^(replica|standby) /.test(name));
  }

  async close(): Promise<void> {
    await Promise.all([...this.byName.values()].map((proxy) => proxy.close()));
  }
}
