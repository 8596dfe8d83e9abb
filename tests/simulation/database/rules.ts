/** Rules of the protocol that a world may leave out, to see whether the checker notices. All are kept unless told. */
export const RULES = {
  'rev guard': 'a decision is written only on the rev that it was made on',
  'rev counted up': 'every transaction that changes a run counts its rev up',
  'run mutex': 'whoever changes a run locks it first',
  'token check': 'a report is believed only with the token of the step',
  'new token per dispatch': 'every dispatch has a token of its own',
  'epoch in the token': 'what was sent before a restore is not believed after it',
  'lease respect': 'a step that a living session holds is not sent again',
  'leases end': 'a session that is silent for a lease has lost its steps',
  'commit before ack': 'reports are acknowledged after their commit',
  'report before ack': 'a task is acknowledged after its report was added',
  'redelivered tasks are skipped': 'only the scheduler hands a step out again',
  'lost messages are found': 'what nobody holds and no stream carries is sent again',
  'worker losses are counted': 'a step that ends its workers fails in the end',
  'only begun steps count': 'a worker that is lost counts against the steps that it had begun, not against those that waited there',
  'count under lock': 'admission counts in a statement of its own, behind the lock',
  'audit with move': 'every move is audited in its own transaction',
  'result with move': 'what a step put out is committed with its end',
  'timer with move': 'a timer is committed with the state that waits for it',
  'timer cleared when fired': 'a timer goes with the move that it caused',
  'every need lowers': 'a join counts each of its needs that ended, also of one batch',
} as const;

export type Rule = keyof typeof RULES;

/** Which rules a world leaves out. */
export type Rules = ReadonlySet<Rule>;

export function isRule(name: string): name is Rule {
  return name in RULES;
}
