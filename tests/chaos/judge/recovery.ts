import type pg from 'pg';
import type { FaultRecord, LossRecord } from '../journal.ts';
import { type Figures, figuresOf } from './figures.ts';

/** How long recoveries took, from the audit's clock and the journal. Null: no such fault came. */
export interface Recovery {
  /** From the end of a worker to each step that it held being sent again; where no other fault was under way. */
  readonly lossToSentAgain: Figures | null;
  /** The same with those where something else was broken as well. */
  readonly lossToSentAgainAll: Figures | null;
  /** From the loss of Redis' content, until each step that was on its way had been sent again or had moved on. */
  readonly redisRebuilt: Figures | null;
  /** From its return, for faults that keep Redis away. */
  readonly redisBack: Figures | null;
  readonly halfOpenToRed: Figures | null;
  readonly halfOpenHealed: Figures | null;
  /** Half-open links that never showed, or never healed, within what was waited for. */
  readonly halfOpenUnseen: number;
}

/** Redis lives on, and what it held is gone. */
const EMPTIED = /flush|trim|del|xgroup|destroy/;
const steppedBackSeconds = 120;
const stepsMax = 5_000;

export async function measureRecovery(
  client: pg.ClientBase,
  faults: readonly FaultRecord[],
  losses: readonly LossRecord[],
): Promise<Recovery> {
  const inflicted = faults.filter(({ inflictedAt }) => inflictedAt !== null);
  const sentAgain: { ms: number; isAlone: boolean }[] = [];
  for (const loss of losses.filter(({ how, held }) => how === 'ended' && held.length > 0)) {
    const isAlone = turnsAt(inflicted, loss.at).length <= 1;
    for (const ms of await sentAgainAfter(client, loss)) sentAgain.push({ ms, isAlone });
  }
  const ofRedis = inflicted.filter(({ targets }) => targets === 'redis');
  const emptied: number[] = [];
  const back: number[] = [];
  for (const fault of ofRedis) {
    if (EMPTIED.test(fault.name))
      emptied.push(...(await movedOnAfter(client, fault.inflictedAt ?? fault.at, fault.inflictedAt ?? fault.at)));
    else if (fault.healAt !== null) back.push(...(await movedOnAfter(client, fault.inflictedAt ?? fault.at, fault.healAt)));
  }
  const halfOpen = inflicted.filter(({ name }) => name.startsWith('half-open'));
  const measured = (measure: string) => halfOpen.map(({ measures }) => measures[measure]).filter((value) => value !== undefined);
  const told = [...measured('redAfterMs'), ...measured('greenAfterMs')];
  return {
    lossToSentAgain: figuresOf(sentAgain.filter(({ isAlone }) => isAlone).map(({ ms }) => ms)),
    lossToSentAgainAll: figuresOf(sentAgain.map(({ ms }) => ms)),
    redisRebuilt: figuresOf(emptied),
    redisBack: figuresOf(back),
    halfOpenToRed: figuresOf(measured('redAfterMs').filter((value) => typeof value === 'number')),
    halfOpenHealed: figuresOf(measured('greenAfterMs').filter((value) => typeof value === 'number')),
    halfOpenUnseen: told.filter((value) => typeof value === 'string').length,
  };
}

/** The faults that were under way at this moment, from their infliction until all was ready again. */
function turnsAt(faults: readonly FaultRecord[], moment: number): readonly FaultRecord[] {
  return faults.filter(({ at, healAt, greenAfterMs }) => at <= moment + 100 && (healAt ?? Infinity) + (greenAfterMs ?? 0) >= moment);
}

/** For each step that the worker held and that moved next by being sent again: how long that took. Those that ended by a
 *  report that it had still sent are left out, and so is the start that such a report told late. */
async function sentAgainAfter(client: pg.ClientBase, { at, held }: LossRecord): Promise<number[]> {
  const { rows } = await client.query<{ ms: number }>(
    `select (extract(epoch from n.created_at) * 1000 - $4)::float8 as ms
       from unnest($1::uuid[], $2::int[], $3::int[]) as h (run, step, dispatch)
      cross join lateral (
        select a.new_state, a.dispatch_no, a.created_at from workflow_transition_audit a
         where a.workflow_id = h.run and a.step_no = h.step and a.created_at > to_timestamp($4 / 1000.0)
           and (a.new_state <> 'RUNNING' or a.dispatch_no > h.dispatch)
         order by a.version limit 1
      ) as n
      where n.new_state = 'DISPATCHED' and n.dispatch_no > h.dispatch`,
    [held.map(([run]) => run), held.map(([, step]) => step), held.map(([, , dispatch]) => dispatch), at],
  );
  return rows.map(({ ms }) => ms);
}

/** For each step that was DISPATCHED at `moment`: how long after `since` it moved on; 0 when it did before. */
async function movedOnAfter(client: pg.ClientBase, moment: number, since: number): Promise<number[]> {
  const { rows } = await client.query<{ ms: number }>(
    `with last as materialized (
       select distinct on (workflow_id, step_no) workflow_id, step_no, version, new_state from workflow_transition_audit
        where step_no > 0 and created_at > to_timestamp($1 / 1000.0) - make_interval(secs => $3) and created_at <= to_timestamp($1 / 1000.0)
        order by workflow_id, step_no, version desc
     )
     select greatest(0, extract(epoch from n.created_at) * 1000 - $2)::float8 as ms
       from last l
      cross join lateral (select a.created_at from workflow_transition_audit a
                           where a.workflow_id = l.workflow_id and a.step_no = l.step_no and a.version = l.version + 1) as n
      where l.new_state = 'DISPATCHED' limit $4`,
    [moment, since, steppedBackSeconds, stepsMax],
  );
  return rows.map(({ ms }) => ms);
}
