/** Restate 1.7, its server from npm with a log of its own that it syncs. Steps are `ctx.run`; runs are one-way calls. */
import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';
import { until } from '../kit.mjs';

export async function openWorker({ ports }, { mark, done }) {
  process.env.RESTATE_LOGGING = 'ERROR';
  const restate = await import('@restatedev/restate-sdk');
  const bench = restate.service({
    name: 'bench',
    handlers: {
      nothing: async (ctx) => {
        await ctx.run('step', () => {});
        done();
      },
      start: async (ctx, key) => {
        await ctx.run('step', () => mark(key));
      },
      chain: async (ctx, { key, length }) => {
        for (let at = 1; at < length; at += 1) await ctx.run(`step ${at}`, () => {});
        await ctx.run('last', () => mark(key));
        done();
      },
      fan: async (ctx, { key, width }) => {
        await restate.RestatePromise.all(Array.from({ length: width }, (_, at) => ctx.run(`branch ${at}`, () => {})));
        await ctx.run('join', () => mark(key));
      },
    },
  });
  await restate.serve({ services: [bench], port: ports.service });
  return {};
}

export async function openDriver({ ports, folder }, marks) {
  const server = startServer(ports, folder);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const send = (handler, argument) => post(agent, ports.ingress, `/bench/${handler}/send`, argument);
  let counted = 0;
  const register = () => post(agent, ports.admin, '/deployments', { uri: `http://127.0.0.1:${ports.service}`, force: true });
  return {
    /** The server asks the worker for its handlers. */
    workerIsUp: () =>
      until(() => register().then(Boolean, () => false), { everyMs: 200, withinMs: 60_000, what: 'Restate to take the deployment' }),
    submit: () => {
      counted += 1;
      return send('nothing');
    },
    start: (key) => send('start', key),
    chain: (key, length) => {
      counted += 1;
      return send('chain', { key, length });
    },
    fan: (key, width) => send('fan', { key, width }),
    idle: () => marks.done >= counted,
    close: () => server.kill('SIGTERM'),
  };
}

function startServer(ports, folder) {
  const env = {
    ...process.env,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ports.ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${ports.admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${ports.node}`,
    ...{ RESTATE_LISTEN_MODE: 'tcp', RUST_LOG: 'error', DO_NOT_TRACK: '1', RESTATE_DISABLE_TELEMETRY: 'true', NO_PROXY: '127.0.0.1' },
  };
  const server = spawn(serverFile(), ['--no-logo', '--base-dir', folder, '--bind-ip', '127.0.0.1'], { stdio: 'ignore', env });
  process.on('exit', () => server.kill('SIGKILL'));
  return server;
}

/** The binary itself: the package's own program is a parent that a SIGKILL would take away from it. */
function serverFile() {
  const wrapper = createRequire(createRequire(import.meta.url).resolve('@restatedev/restate-server/package.json'));
  return wrapper.resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
}

function post(agent, port, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asked = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('end', () => (answer.statusCode < 300 ? resolve(text || 'ok') : reject(new Error(`${answer.statusCode} ${text}`))));
    });
    asked.on('error', reject);
    asked.end(body === undefined ? '' : JSON.stringify(body));
  });
}
