import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeBounds } from './bounds.ts';
import { describeDelivery } from './delivery.ts';
import { describeFailure } from './failure.ts';
import type { MakeHarness, StreamHarness } from './harness.ts';
import { describeManualAcknowledgement } from './manual.ts';
import { describeRecovery } from './recovery.ts';

/** The contract of `StreamTransport` as tests. Every implementation passes them all. */
export function describeStreamTransport(name: string, makeHarness: MakeHarness): void {
  describe(`${name}: the stream transport contract`, () => {
    let made: StreamHarness | undefined;
    const harness = (): StreamHarness => {
      if (made === undefined) throw new Error('The harness is made before the first test.');
      return made;
    };
    beforeAll(async () => {
      made = await makeHarness();
    });
    afterAll(() => made?.close());

    describe('delivery', () => describeDelivery(harness));
    describe('failure', () => describeFailure(harness));
    describe('manual acknowledgement', () => describeManualAcknowledgement(harness));
    describe('recovery', () => describeRecovery(harness));
    describe('bounds', () => describeBounds(harness));
  });
}
