import { describe, expect, it } from '@jest/globals';
import { DomainError, type RunState } from '#core';
import { findHistoryFaults, type HistoryEvent, parseHistory } from './history.ts';

const lived: RunState[] = ['CREATED', 'RUNNING', 'CANCELLING', 'CANCELLED'];
const trails = new Map([['run', lived]]);

describe('the history of a run', () => {
  it('holds when each answer fits a moment between the answers around it', () => {
    const history = [
      call(0, 1, 'create', 'accepted'),
      call(2, 3, 'read', 'RUNNING'),
      call(3.5, 6, 'cancel', 'accepted'),
      call(4, 5, 'read', 'RUNNING'),
      call(7, 8, 'retry', 'refused'),
      call(9, 10, 'read', 'CANCELLED'),
      call(11, 12, 'cancel', 'refused'),
      call(13, 14, 'retry', 'accepted'),
    ];
    expect(findHistoryFaults(history, trails)).toEqual([]);
  });

  it.each([
    ['a second cancel was accepted', [call(0, 1, 'cancel', 'accepted'), call(0, 1, 'cancel', 'accepted')], 1],
    [
      'a cancel was accepted after the run was seen to be cancelled',
      [call(0, 1, 'read', 'CANCELLED'), call(2, 3, 'cancel', 'accepted')],
      1,
    ],
    ['a read went back to an earlier state', [call(0, 1, 'read', 'CANCELLING'), call(2, 3, 'read', 'RUNNING')], 1],
    ['a state was seen that the run never had', [call(0, 1, 'read', 'WAITING')], 0],
    ['the run was seen before its creation was asked for', [call(0, 1, 'read', 'CREATED'), call(2, 3, 'create', 'accepted')], 1],
    ['the run was gone after its creation was answered', [call(0, 1, 'create', 'accepted'), call(2, 3, 'read', 'not_found')], 1],
    ['a retry was accepted and then the run was seen to run', [call(0, 1, 'retry', 'accepted'), call(2, 3, 'read', 'RUNNING')], 1],
    ['a cancel was refused and then the run was seen to run', [call(0, 1, 'cancel', 'refused'), call(2, 3, 'read', 'RUNNING')], 1],
    ['a cancel was agreed to and then the run was seen to run', [call(0, 1, 'cancel', 'repeated'), call(2, 3, 'read', 'RUNNING')], 1],
    ['a cancel was agreed to after the run was cancelled', [call(0, 1, 'read', 'CANCELLED'), call(2, 3, 'cancel', 'repeated')], 1],
  ])('is broken when %s', (_, history, guilty) => {
    const faults = findHistoryFaults(history, trails);
    expect(faults).toEqual([{ code: 'check.history.not_linearizable', event: history[guilty] }]);
  });

  it('lets calls that overlap in time take either order', () => {
    expect(findHistoryFaults([call(0, 5, 'read', 'CANCELLING'), call(1, 4, 'read', 'RUNNING')], trails)).toEqual([]);
  });

  it('lets any number of cancels agree that the run is being cancelled, one of which moved it', () => {
    const cancels = [call(0, 5, 'cancel', 'repeated'), call(1, 6, 'cancel', 'accepted'), call(2, 7, 'cancel', 'repeated')];
    expect(findHistoryFaults([...cancels, call(8, 9, 'read', 'CANCELLED')], trails)).toEqual([]);
  });

  it('asks nothing of calls without an answer', () => {
    const lost: HistoryEvent = { op: 'cancel', runId: 'run', startedAt: 0, endedAt: null, result: { outcome: 'unknown' } };
    expect(findHistoryFaults([lost, call(9, 10, 'cancel', 'unknown')], trails)).toEqual([]);
  });

  it('names an accepted run that left no trail', () => {
    const created = { ...call(0, 1, 'create', 'accepted'), runId: 'lost' };
    expect(findHistoryFaults([created], trails)).toEqual([{ code: 'check.history.run_missing', event: created }]);
  });

  it('is read from lines of JSON, and a line that is no event is named', () => {
    const event = call(0, 1, 'read', 'RUNNING');
    expect(parseHistory(`${JSON.stringify(event)}\n\n`)).toEqual([event]);
    expect(() => parseHistory(`${JSON.stringify(event)}\n{"op":"fly"}`)).toThrow(DomainError);
    expect(() => parseHistory('{')).toThrow(/Line 1/);
  });
});

function call(
  startedAt: number,
  endedAt: number,
  op: HistoryEvent['op'],
  answer: RunState | 'accepted' | 'repeated' | 'refused' | 'not_found' | 'unknown',
): HistoryEvent {
  const timed = { op, runId: 'run', startedAt, endedAt };
  switch (answer) {
    case 'accepted':
    case 'repeated':
    case 'refused':
    case 'not_found':
    case 'unknown':
      return { ...timed, result: { outcome: answer } };
    default:
      return { ...timed, result: { outcome: 'seen', state: answer } };
  }
}
