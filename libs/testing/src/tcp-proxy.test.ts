import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.ts';
import { TcpProxy } from './tcp-proxy.ts';

describe('a TCP proxy', () => {
  let target: Server;
  let proxy: TcpProxy;
  /** What the target was told, in the order of arrival. It answers every piece with the same in capitals. */
  let told: string;
  const clients: Socket[] = [];

  beforeEach(async () => {
    told = '';
    target = await listening('');
    proxy = await TcpProxy.listen(portOf(target));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    target.close();
  });

  async function listening(prefix: string): Promise<Server> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (piece) => {
        told += piece.toString();
        socket.write(prefix + piece.toString().toUpperCase());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  async function client(): Promise<{ socket: Socket; heard: () => string; fault: () => string }> {
    const socket = connect(proxy.port, '127.0.0.1');
    clients.push(socket);
    let heard = '';
    let fault = '';
    socket.on('data', (piece) => (heard += piece.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => (fault = error.code ?? error.message));
    socket.on('close', () => (fault ||= 'closed'));
    await once(socket, 'connect');
    return { socket, heard: () => heard, fault: () => fault };
  }

  it('keeps the order of what it delays, slows down and cuts to pieces', async () => {
    let draw = 0;
    proxy.weather = { latency: [0, 30], bytesPerSecond: 20_000, pieceBytesMax: 7, dice: () => (draw = (draw + 0.37) % 1) };
    const text = Array.from({ length: 100 }, (_, at) => `piece ${at};`).join('');
    const { socket, heard } = await client();

    for (let at = 0; at < text.length; at += 50) socket.write(text.slice(at, at + 50));

    await eventually(() => heard() === text.toUpperCase(), { within: 5_000, what: 'the whole answer' });
    expect(told).toBe(text);
  });

  it('swallows an answer after the request has been served, and resets the link', async () => {
    const sprung = proxy.swallowAnswers('commit', 1);
    const { socket, heard, fault } = await client();
    socket.write('begin');
    await eventually(() => heard() === 'BEGIN');

    socket.write('commit');

    expect(await eventually(() => fault() || undefined)).toBe('ECONNRESET');
    expect([told, heard(), sprung()]).toEqual(['begincommit', 'BEGIN', 1]);
    const next = await client();
    next.socket.write('commit');
    await eventually(() => next.heard() === 'COMMIT');
  });

  it('resets what rolls below the chance, and heals', async () => {
    proxy.weather = { resetChance: 0.5, dice: () => 0.4 };
    const bad = await client();
    bad.socket.write('lost');
    expect(await eventually(() => bad.fault() || undefined)).toBe('ECONNRESET');

    proxy.heal();

    const good = await client();
    good.socket.write('kept');
    await eventually(() => good.heard() === 'KEPT');
    expect(told).toBe('kept');
  });

  it('leads new connections to another target', async () => {
    const other = await listening('other:');
    proxy.retarget(portOf(other));
    const { socket, heard } = await client();
    socket.write('x');
    await eventually(() => heard() === 'other:X');
    other.close();
  });

  it('holds up who sends to a reader that takes nothing', async () => {
    const flood = createServer((socket) => {
      socket.on('error', () => undefined);
      for (let chunk = 0; chunk < 1024; chunk += 1) socket.write(Buffer.alloc(64 * 1024));
    });
    flood.listen(0, '127.0.0.1');
    await once(flood, 'listening');
    const serving = once(flood, 'connection');
    proxy.retarget(portOf(flood));
    const { socket } = await client();
    socket.pause();
    const [sender] = (await serving) as [Socket];
    const left = () => sender.writableLength;
    await eventually(() => left() > 0 && left() < 64 * 1024 * 1024);
    const before = left();

    socket.resume();

    await eventually(() => left() === 0, { what: 'the rest to arrive' });
    expect(before).toBeGreaterThan(32 * 1024 * 1024);
    flood.close();
  });

  it('swallows all that comes while it is a black hole', async () => {
    proxy.blackhole();
    const { socket, heard } = await client();
    socket.write('nobody hears');
    proxy.heal();
    const next = await client();
    next.socket.write('heard');
    await eventually(() => next.heard() === 'HEARD');
    expect([told, heard()]).toEqual(['heard', '']);
  });
});

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
