import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { TcpProxy, type TestDatabase, databaseServers, eventually } from '#testing';
import { HotConnection } from './hot-connection.ts';
import type { Statement } from './statement.ts';

const PID: Statement = { name: 'pid', text: 'select pg_backend_pid() as pid' };
const XID: Statement = { name: 'xid', text: 'select pg_current_xact_id_if_assigned()::text as xid' };
const INSERT: Statement = { name: 'environment', text: 'insert into environments (name) values ($1)' };
const BROKEN: Statement = { name: 'broken', text: 'select 1 / $1::int as one' };

describe.each(databaseServers())('a hot connection on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let admin: pg.Client;
  const opened: HotConnection[] = [];

  beforeAll(async () => {
    database = await cloneDatabase();
    admin = new pg.Client({ connectionString: database.superuserUrl });
    await admin.connect();
  });
  afterAll(async () => {
    await Promise.all(opened.map((connection) => connection.close()));
    await admin.end();
    await database.drop();
  });

  let names = 0;
  const open = () => {
    names += 1;
    const name = `hot-test-${names}`;
    const connection = new HotConnection(database.schedulerUrl, name);
    opened.push(connection);
    const sessions = async () =>
      (await admin.query<{ pid: number }>('select pid from pg_stat_activity where application_name = $1', [`flowforge-${name}`])).rows.map(
        ({ pid }) => pid,
      );
    const kill = async () => {
      const before = await sessions();
      await admin.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [before]);
      await eventually(async () => !(await sessions()).some((pid) => before.includes(pid)), { what: 'the end of the session' });
    };
    return { connection, sessions, kill };
  };
  const namesOf = async (...wanted: string[]) =>
    (await admin.query<{ name: string }>('select name from environments where name = any($1) order by 1', [wanted])).rows.map(
      ({ name }) => name,
    );

  it('opens one session, however many statements are under way', async () => {
    const { connection, sessions } = open();
    const pids = await Promise.all(Array.from({ length: 20 }, () => connection.query<{ pid: number }>(PID, [])));
    expect(new Set(pids.map(([row]) => row?.pid)).size).toBe(1);
    expect(await sessions()).toHaveLength(1);
  });

  it('commits behind the last statement without waiting for its answer, and nothing when it is refused', async () => {
    const { connection } = open();
    await connection.transaction(async (tx) => {
      const inserted = tx.query(INSERT, ['committed-behind']);
      tx.commitBehind();
      await inserted;
    });
    expect(await namesOf('committed-behind')).toEqual(['committed-behind']);

    const late = connection.transaction(async (tx) => {
      tx.commitBehind();
      await tx.query(INSERT, ['too-late']);
    });
    await expect(late).rejects.toMatchObject({ code: 'invariant.broken' });
    expect(await namesOf('too-late')).toEqual([]);

    const refused = connection.transaction(async (tx) => {
      const sent = [tx.query(INSERT, ['refused-behind']), tx.query(BROKEN, [0])];
      tx.commitBehind();
      await Promise.all(sent);
    });
    await expect(refused).rejects.toMatchObject({ code: '22012' });
    expect(await namesOf('refused-behind')).toEqual([]);
    expect(await connection.query(XID, [])).toEqual([{ xid: null }]);
  });

  it('opens another session after its own was ended, and only one', async () => {
    const { connection, sessions, kill } = open();
    for (let round = 0; round < 5; round += 1) {
      await connection.query(PID, []);
      await kill();
      // A statement may still meet the session that is going; the next does not.
      await eventually(() => connection.query(PID, []), { what: 'a new session' });
      await Promise.all([connection.query(PID, []), connection.query(PID, [])]);
      await eventually(async () => (await sessions()).length === 1, { what: 'a single session' });
    }
    await connection.close();
    await eventually(async () => (await sessions()).length === 0, { what: 'no session after the close' });
  });

  it('leaves no session behind when its sessions are ended under a stream of statements', async () => {
    const { connection, sessions, kill } = open();
    let stopping = false;
    const stream = Array.from({ length: 4 }, async () => {
      while (!stopping) await connection.query(PID, []).catch(() => new Promise(setImmediate));
    });
    for (let round = 0; round < 15; round += 1) await kill().catch(() => undefined);
    stopping = true;
    await Promise.all(stream);
    await eventually(() => connection.query(PID, []));
    await eventually(async () => (await sessions()).length === 1, { what: 'a single session' });
    await connection.close();
    await eventually(async () => (await sessions()).length === 0, { what: 'no session after the close' });
  });

  it('fails what is under way when its session is ended, and leaves nothing of the transaction', async () => {
    const { connection, kill } = open();
    const work = connection.transaction(async (tx) => {
      await tx.query(INSERT, ['lost']);
      await kill();
      await tx.query(INSERT, ['lost-too']);
    });
    await expect(work).rejects.toThrow();
    expect(await namesOf('lost', 'lost-too')).toEqual([]);
    expect(await connection.transaction((tx) => tx.query(PID, []))).toHaveLength(1);
  });

  it('commits what its work has done, and nothing of a work that throws', async () => {
    const { connection } = open();
    await connection.transaction((tx) => tx.query(INSERT, ['kept']));
    await expect(
      connection.transaction(async (tx) => {
        await tx.query(INSERT, ['dropped']);
        throw new Error('changed its mind');
      }),
    ).rejects.toThrow('changed its mind');
    expect(await namesOf('kept', 'dropped')).toEqual(['kept']);
  });

  it('lets transactions take turns', async () => {
    const { connection } = open();
    const seen = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        connection.transaction(async (tx) => {
          await tx.query(INSERT, [`turn-${at}`]);
          const [first] = await tx.query<{ xid: string }>(XID, []);
          const [second] = await tx.query<{ xid: string }>(XID, []);
          expect(second).toEqual(first);
          return first?.xid;
        }),
      ),
    );
    expect(new Set(seen).size).toBe(10);
  });

  it('keeps a statement beside a transaction out of it', async () => {
    const { connection } = open();
    const beside: Promise<unknown>[] = [connection.query(INSERT, ['before'])];
    const rolledBack = connection.transaction(async (tx) => {
      await tx.query(INSERT, ['inside']);
      beside.push(
        connection.query(INSERT, ['beside']),
        connection.transaction((next) => next.query(INSERT, ['next'])),
      );
      await tx.query(PID, []);
      await tx.query(BROKEN, [0]);
    });
    await expect(rolledBack).rejects.toThrow('division by zero');
    await Promise.all([...beside, connection.query(INSERT, ['behind'])]);
    expect(await namesOf('before', 'inside', 'beside', 'next', 'behind')).toEqual(['before', 'behind', 'beside', 'next'].toSorted());
  });

  it('survives a statement that fails, inside of a transaction and outside', async () => {
    const { connection, sessions } = open();
    await expect(connection.query(BROKEN, [0])).rejects.toThrow('division by zero');
    await expect(connection.transaction((tx) => Promise.all([tx.query(BROKEN, [0]), tx.query(PID, [])]))).rejects.toThrow(
      'division by zero',
    );
    expect(await connection.query(BROKEN, [1])).toEqual([{ one: 1 }]);
    expect(await sessions()).toHaveLength(1);
  });

  it('refuses to work once it is closed, after the transaction under way has ended', async () => {
    const { connection, sessions } = open();
    const begun = Promise.withResolvers<void>();
    const under = connection.transaction(async (tx) => {
      begun.resolve();
      await tx.query(PID, []);
      return tx.query(INSERT, ['last']);
    });
    await begun.promise;
    await connection.close();
    await under;
    await expect(connection.query(PID, [])).rejects.toMatchObject({ code: 'database.closed' });
    await expect(connection.transaction((tx) => tx.query(PID, []))).rejects.toMatchObject({ code: 'database.closed' });
    await connection.close();
    expect(await namesOf('last')).toEqual(['last']);
    await eventually(async () => (await sessions()).length === 0, { what: 'the end of the session' });
  });

  it('gives up a session that has fallen silent, with all that was under way, and opens another when the network is back', async () => {
    const url = new URL(database.schedulerUrl);
    const proxy = await TcpProxy.listen(Number(url.port));
    const connection = new HotConnection(Object.assign(url, { port: String(proxy.port) }).href, 'hot-silent', 200);
    await connection.query(PID, []);
    proxy.blackhole();
    const under = [connection.query(PID, []), connection.query(PID, []), connection.transaction((tx) => tx.query(INSERT, ['silent']))];
    for (const result of await Promise.allSettled(under)) expect(result).toMatchObject({ status: 'rejected' });
    proxy.heal();
    expect(await eventually(() => connection.query(PID, []), { what: 'a new session' })).toHaveLength(1);
    expect(await namesOf('silent')).toEqual([]);
    await connection.close();
    await proxy.close();
  });

  it('says that the database is away', async () => {
    const connection = new HotConnection('postgresql://nobody@127.0.0.1:1/nothing', 'hot-nowhere');
    opened.push(connection);
    await expect(connection.query(PID, [])).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(connection.transaction((tx) => tx.query(PID, []))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
