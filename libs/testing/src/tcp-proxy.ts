import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { ProxyLane, type LinkWeather } from './proxy-lane.ts';

/** Springs once per connection that sends a request with `pattern` in it: the request passes, its answer is swallowed, the link is reset. */
interface AnswerTrap {
  readonly pattern: string;
  left: number;
  sprung: number;
}

/** A TCP proxy on this machine that can do to a connection what networks do: nothing at all, silence, delay, a sudden end. */
export class TcpProxy {
  /** Milliseconds that each piece waits on its way, in both directions. */
  latency = 0;
  /** How bad the link is from now on, in old and new connections; null: everything passes at once and whole. */
  weather: LinkWeather | null = null;
  /** Pieces that were swallowed so far. */
  swallowed = 0;
  private silent = false;
  private trap: AnswerTrap | undefined;
  private readonly sockets = new Set<Socket>();
  private targetPort: number;
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

  /** The port that new connections are led to. */
  get target(): number {
    return this.targetPort;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.sockets.size / 2;
  }

  /** New connections go to this port of 127.0.0.1; those that are open stay where they are until they are cut. */
  retarget(port: number): void {
    this.targetPort = port;
  }

  /** From now on everything is swallowed, in old and new connections, and nobody is told: half-open links. */
  blackhole(): void {
    this.silent = true;
  }

  /** New connections work again. Those that were silent stay so: what they swallowed is gone. */
  heal(): void {
    this.silent = false;
    this.weather = null;
    this.latency = 0;
    this.trap = undefined;
  }

  /** Ends every connection at once. What is on its way is lost. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** The same with RST instead of FIN: both ends get an error, not an end. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /**
   * The next `times` connections that send `pattern` (nothing: anything) are reset after the other side has done what it was asked and before
   * its answer arrives. Returns how many were so far.
   */
  swallowAnswers(pattern: string, times: number): () => number {
    const trap: AnswerTrap = { pattern, left: times, sprung: 0 };
    this.trap = trap;
    return () => trap.sprung;
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    const target = connect(this.targetPort, '127.0.0.1');
    let swallows = this.silent;
    let trapped: AnswerTrap | undefined;
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      const lane = new ProxyLane(from, to);
      from.on('data', (piece: Buffer) => {
        swallows ||= this.silent;
        if (swallows) return void (this.swallowed += 1);
        if (from === target && trapped) return this.spring(trapped, client, target);
        if (from === client) trapped ??= this.trappedBy(piece);
        lane.pass(piece, this.weather, this.latency);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        lane.close();
        if (!swallows) to.destroy();
      });
    }
    client.on('close', () => target.destroy());
  }

  private trappedBy(piece: Buffer): AnswerTrap | undefined {
    const { trap } = this;
    if (!trap || trap.left === 0 || !piece.includes(trap.pattern)) return undefined;
    trap.left -= 1;
    return trap;
  }

  private spring(trap: AnswerTrap, ...ends: readonly Socket[]): void {
    trap.sprung += 1;
    for (const end of ends) end.resetAndDestroy();
  }
}
