import { type Socket, connect } from 'node:net';

const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: *(\d+)/i;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One kept-alive HTTP/1.1 connection that sends finished requests and reads answers with a Content-Length, one at a time. Load is measured
 * beside the system under it on the same cores: a full client would cost more than what it asks for.
 */
export class HttpLane {
  private buffered = '';
  private waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void } | null = null;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    // Latin-1 keeps one character per byte, so lengths fit whatever the body holds.
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.take(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('The server closed the connection.')));
  }

  static async open(host: string, port: number): Promise<HttpLane> {
    const socket = connect(port, host);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new HttpLane(socket);
  }

  /** Sends a request made by `requestOf`. The answer before must have come. */
  ask(request: string | Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(request);
    });
  }

  close(): void {
    this.socket.removeAllListeners('close');
    this.socket.destroy();
  }

  private take(chunk: string): void {
    this.buffered = this.buffered === '' ? chunk : this.buffered + chunk;
    const headEnd = this.buffered.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.buffered.slice(0, headEnd);
    const length = LENGTH.exec(head)?.[1];
    if (length === undefined) return this.fail(new Error(`An answer without a length:\n${head}`));
    const bodyAt = headEnd + HEAD_END.length;
    if (this.buffered.length < bodyAt + Number(length)) return;
    const body = this.buffered.slice(bodyAt, bodyAt + Number(length));
    this.buffered = this.buffered.slice(bodyAt + Number(length));
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }

  private fail(error: Error): void {
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.reject(error);
  }
}

/** A whole request as it goes over the wire. */
export function requestOf(method: string, path: string, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ host: 'bench', ...headers, 'content-length': String(Buffer.byteLength(body)) });
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
}
