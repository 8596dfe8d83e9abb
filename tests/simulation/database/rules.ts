/** Rules of the protocol that a world may leave out, to see whether the checker notices. All are kept unless told. */
export const RULES = {
  'rev guard': 'a decision is written only on the rev that it was made on',
  'token check': 'a report is believed only with the token of the step',
  'lease respect': 'a step that a living session holds is not sent again',
  'commit before ack': 'reports are acknowledged after their commit',
  'report before ack': 'a task is acknowledged after its report was added',
  'count under lock': 'admission counts in a statement of its own, behind the lock',
  'audit with move': 'every move is audited in its own transaction',
  'sweep of lost messages': 'what nobody holds and no stream carries is sent again',
  'redelivered tasks are skipped': 'only the scheduler hands a step out again',
  'cancel repaired by heartbeats': 'a worker is told what it holds in vain',
  'worker losses are counted': 'a step that ends its workers fails in the end',
  'legal moves only': 'an illegal move is refused by the database',
  'timers are durable': 'a timer is committed with the state that waits for it',
  'epoch in the token': 'a report of an earlier epoch is not believed',
  'unmet lowered once': 'a join counts each need that ended once',
} as const;

export type Rule = keyof typeof RULES;

/** Which rules a world breaks. */
export type Rules = ReadonlySet<Rule>;

export function isRule(name: string): name is Rule {
  return name in RULES;
}
