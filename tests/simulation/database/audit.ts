import { RUN_MOVES, STEP_MOVES, type RunState, type StepState } from '#core';
import type { Database } from './database.ts';
import type { AuditRow, RunRow, StepRow } from './rows.ts';
import { DatabaseError } from './table.ts';
import type { Transaction } from './transaction.ts';

/** What the audit triggers do: every change of a state is legal, counts the version up, has a cause of its own, and is written down. */

export function auditNewRun(database: Database, tx: Transaction, row: RunRow): void {
  if (row.state !== 'CREATED' || row.version !== 1) throw new DatabaseError('FF001', 'A run begins in state CREATED at version 1.');
  write(database, tx, { ...ofRun(row), version: 1, leaves: null, enters: row.state, at: row.createdAt });
}

export function auditRun(database: Database, tx: Transaction, before: RunRow, after: RunRow): void {
  const hops = after.via === null ? [after.state] : [after.via, after.state];
  refuseUnless(before, after, hops, (leaves, enters) => runMoves(leaves).includes(enters));
  let leaves: string = before.state;
  hops.forEach((enters, at) => {
    write(database, tx, { ...ofRun(after), version: before.version + at + 1, leaves, enters, at: tx.now });
    leaves = enters;
  });
}

export function auditNewStep(database: Database, tx: Transaction, row: StepRow): void {
  if (!stepMoves('PENDING').includes(row.state))
    throw new DatabaseError('FF001', `Step ${row.stepNo} of run ${row.runId}: PENDING to ${row.state} is no legal beginning.`);
  write(database, tx, { ...ofStep(row), version: 1, leaves: 'PENDING', enters: row.state, tokenBefore: null, at: tx.now });
}

export function auditStep(database: Database, tx: Transaction, before: StepRow, after: StepRow): void {
  const hops = after.via === null ? [after.state] : [after.via, after.state];
  refuseUnless(before, after, hops, (leaves, enters) => stepMoves(leaves).includes(enters));
  const tokenBefore = `${before.epoch}.${before.dispatchNo}`;
  let leaves: string = before.state;
  hops.forEach((enters, at) => {
    write(database, tx, { ...ofStep(after), version: before.version + at + 1, leaves, enters, tokenBefore, at: tx.now });
    leaves = enters;
  });
}

function refuseUnless<State extends string>(
  before: { state: State; version: number; causeId: string },
  after: { version: number; causeId: string },
  hops: readonly State[],
  isLegal: (leaves: State, enters: State) => boolean,
): void {
  if (after.version !== before.version + hops.length)
    throw new DatabaseError('FF003', `version ${after.version} does not follow ${before.version}`);
  if (after.causeId === before.causeId) throw new DatabaseError('FF002', 'a move needs a cause of its own');
  let leaves = before.state;
  for (const enters of hops) {
    if (!isLegal(leaves, enters)) throw new DatabaseError('FF001', `${leaves} to ${enters} is no legal move`);
    leaves = enters;
  }
}

function write(database: Database, tx: Transaction, row: AuditRow): void {
  if (database.breaks('audit with move') && row.stepNo > 0 && row.enters === 'SUCCEEDED') return;
  const twice = tx.audit.some((other) => other.runId === row.runId && other.stepNo === row.stepNo && other.version === row.version);
  if (twice || database.isAudited(row)) throw new DatabaseError('23505', `version ${row.version} of ${row.runId}/${row.stepNo} is audited`);
  tx.audit.push(row);
}

function ofRun({ id, causeId, actor, reason }: RunRow) {
  return { runId: id, stepNo: 0, causeId, actor, reason, epoch: null, dispatchNo: null, tokenBefore: null };
}

function ofStep({ runId, stepNo, causeId, actor, reason, epoch, dispatchNo }: StepRow) {
  return { runId, stepNo, causeId, actor, reason, epoch, dispatchNo };
}

function runMoves(state: RunState): readonly string[] {
  return RUN_MOVES[state];
}

function stepMoves(state: StepState): readonly string[] {
  return STEP_MOVES[state];
}
