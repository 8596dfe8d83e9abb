import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';

/** A TCP proxy on this machine that can do to a connection what networks do: nothing at all, silence, delay, a sudden end. */
export class TcpProxy {
  /** Milliseconds that each piece waits on its way, in both directions. */
  latency = 0;
  private silent = false;
  private readonly sockets = new Set<Socket>();
  private readonly targetPort: number;
  private readonly server: Server;

  private constructor(targetPort: number) {
    this.targetPort = targetPort;
    this.server = createServer((client) => this.accept(client));
  }

  /** Listens on a free port of 127.0.0.1 and forwards to `targetPort` there. */
  static async listen(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
    return address.port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.sockets.size / 2;
  }

  /** From now on everything is swallowed, in old and new connections, and nobody is told: half-open links. */
  blackhole(): void {
    this.silent = true;
  }

  /** New connections work again. Those that were silent stay so: what they swallowed is gone. */
  heal(): void {
    this.silent = false;
  }

  /** Ends every connection at once. What is on its way is lost. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    const target = connect(this.targetPort, '127.0.0.1');
    let swallows = this.silent;
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (piece: Buffer) => {
        swallows ||= this.silent;
        if (!swallows) this.pass(to, piece);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        if (!swallows) to.destroy();
      });
    }
    client.on('close', () => target.destroy());
  }

  private pass(to: Socket, piece: Buffer): void {
    if (this.latency === 0) to.write(piece);
    else setTimeout(() => to.writable && to.write(piece), this.latency);
  }
}
