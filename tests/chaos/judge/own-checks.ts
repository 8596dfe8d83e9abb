import type pg from 'pg';
import type { Finding } from '#store';
import { KINDS } from '../workload/kinds.ts';
import type { SeenOutside } from './evidence.ts';

const findingsMax = 20;

/** What the checker of the store cannot know: the workload's own promises. */
export interface OwnFindings {
  readonly doubled: readonly Finding[];
  readonly illegal: readonly Finding[];
  readonly lost: readonly Finding[];
}

export async function checkWorkload(client: pg.ClientBase, seen: SeenOutside, voided: ReadonlySet<string>): Promise<OwnFindings> {
  const sound = ({ subject }: Finding) => !voided.has(subject.split('/')[0] ?? '');
  return {
    doubled: [...(await runsWithoutKey(client)), ...(await overlappingRetries(client))].filter(sound),
    illegal: (await wrongEnds(client)).filter(sound),
    lost: await effectsLost(client, seen, voided),
  };
}

/** Every start of the workload has a key, so a run that no key names was started twice. */
async function runsWithoutKey(client: pg.ClientBase): Promise<Finding[]> {
  const { rows } = await client.query<{ id: string }>(
    `select r.id::text as id from workflow_runs r join workflows w on w.id = r.workflow_id
      where r.retry_of is null and w.name = any ($1) and not exists (select from idempotency_keys k where k.run_id = r.id) limit $2`,
    [KINDS.map(({ name }) => name), findingsMax],
  );
  return rows.map(({ id }) => finding('chaos.run.without_key', id, 'was started, and no idempotency key names it'));
}

/** Of retries of one run, a later one begins after the earlier one has ended. By the audit's clock, which is read under the run's lock. */
async function overlappingRetries(client: pg.ClientBase): Promise<Finding[]> {
  const { rows } = await client.query<{ one: string; other: string; of: string }>(
    `with life as (
       select r.retry_of, r.id, b.seq as begun, e.seq as ended
         from workflow_runs r
         join workflow_transition_audit b on b.workflow_id = r.id and b.step_no = 0 and b.version = 1
         left join workflow_transition_audit e on e.workflow_id = r.id and e.step_no = 0 and e.new_state in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT')
        where r.retry_of is not null
     )
     select one.id::text as one, other.id::text as other, one.retry_of::text as of
       from life one join life other on other.retry_of = one.retry_of and other.begun > one.begun and other.begun < coalesce(one.ended, other.begun + 1)
      limit $1`,
    [findingsMax],
  );
  return rows.map(({ one, other, of }) =>
    finding('chaos.retry.doubled', other, `was begun as a retry of ${of} while ${one} was under way`),
  );
}

/** Runs whose steps ask nothing of the outside cannot fail; those that are refused at first cannot succeed at first. */
async function wrongEnds(client: pg.ClientBase): Promise<Finding[]> {
  const { rows } = await client.query<{ id: string; name: string; state: string; reason: string | null }>(
    `select r.id::text as id, w.name, r.state::text as state, r.reason from workflow_runs r join workflows w on w.id = r.workflow_id
      where (w.name = any ($1) and r.state in ('FAILED', 'TIMED_OUT')) or (w.name = any ($2) and r.state = 'SUCCEEDED' and r.retry_of is null)
      limit $3`,
    [
      KINDS.filter(({ mayFail }) => !mayFail).map(({ name }) => name),
      KINDS.filter(({ failsFirst }) => failsFirst).map(({ name }) => name),
      findingsMax,
    ],
  );
  return rows.map(({ id, name, state, reason }) =>
    finding('chaos.run.wrong_end', id, `of ${name} ended ${state} (${reason ?? 'no reason'})`),
  );
}

/** A step that has succeeded has had its effect. */
async function effectsLost(client: pg.ClientBase, { ledger }: SeenOutside, voided: ReadonlySet<string>): Promise<Finding[]> {
  const booked = new Set(ledger.map(({ idempotencyKey }) => idempotencyKey));
  const lost: Finding[] = [];
  for (const { name, effects } of KINDS.filter(({ effects }) => effects.length > 0)) {
    for (let behind = '00000000-0000-0000-0000-000000000000'; ;) {
      const { rows } = await client.query<{ run: string; steps: string[] }>(
        `select p.id::text as run, array(select s.name from step_runs s where s.run_id = p.id and s.state = 'SUCCEEDED' and s.name = any ($3)) as steps
           from (select r.id from workflow_runs r join workflows w on w.id = r.workflow_id where w.name = $1 and r.id > $2 order by r.id limit 5000) p
          order by p.id`,
        [name, behind, effects],
      );
      const last = rows.at(-1);
      if (!last) break;
      behind = last.run;
      for (const { run, steps } of rows) {
        const missing = voided.has(run) ? [] : steps.filter((step) => !booked.has(`${run}/${step}`));
        lost.push(
          ...missing.map((step) =>
            finding('chaos.effect.lost', `${run}/${step}`, 'has succeeded, and the outside world knows nothing of it'),
          ),
        );
      }
    }
  }
  return lost;
}

function finding(code: string, subject: string, says: string): Finding {
  return { code, subject, message: `${subject} ${says}.`, details: {} };
}
