import { createServer, type Server } from 'node:http';
import type { DataSet } from './data-set.ts';

/** The outside world: serves the data set over loopback HTTP, and is out of order for the first requests of the file. */
export class SourceServer {
  /** Status of each answer for the file, in order. */
  readonly answers: number[] = [];
  private readonly server: Server;

  constructor(
    dataSet: DataSet,
    readonly failuresFirst: number,
  ) {
    const manifest = { file: dataSet.fileName, bytes: dataSet.bytes.byteLength, sha256: dataSet.sha256, rows: dataSet.rows.length };
    this.server = createServer((request, response) => {
      if (request.url === '/manifest.json') {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(manifest));
      } else if (request.url === `/${dataSet.fileName}`) {
        const status = this.answers.length < failuresFirst ? 503 : 200;
        this.answers.push(status);
        response.writeHead(status, { 'content-type': 'application/json' }).end(status === 200 ? dataSet.bytes : '{"error":"out of order"}');
      } else {
        response.writeHead(404).end();
      }
    });
  }

  /** Returns its address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => this.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The source has no port.');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
