import type { Member, Random, World } from '../world/types.ts';
import { FaultNotPossible } from '../world/types.ts';

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item);
}

/** `count` different ones, in an order that the numbers decide; fewer when there are not that many. */
export function someOf<T>(all: readonly T[], count: number, random: Random): T[] {
  return shuffled(all, random).slice(0, count);
}

/** The scheduler that holds the leader's lease; any running one when none says so. */
export async function leaderOf(world: World, random: Random): Promise<Member> {
  const running = world.members('scheduler').filter((member) => member.isRunning && !member.isPaused);
  if (running.length === 0) throw new FaultNotPossible('No scheduler is running.');
  for (const member of running) {
    const text = await member.metrics().catch(() => '');
    if (/^flowforge_scheduler_leader(\{[^}]*\})? 1$/m.test(text)) return member;
  }
  return random.pick(running);
}

export function namesOf(members: readonly Member[]): string {
  return members.map(({ name }) => name).join(', ');
}
