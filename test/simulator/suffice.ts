/** What a group of voters bears, by hand: the faults of a run must stay within it. */
import type { Test } from 'tap';
import type { NodeId } from '#src/base/ids.js';
import { suffice } from '#src/sim/suffice.js';

interface Case {
  readonly voters: readonly number[];
  readonly lost?: readonly number[];
  readonly leaving?: readonly number[];
  readonly witness?: number;
  readonly bears: boolean;
  readonly text: string;
}

const cases: readonly Case[] = [
  { voters: [1], bears: true, text: 'nothing is lost' },
  { voters: [1, 2, 3], lost: [1], bears: true, text: 'one of three' },
  { voters: [1, 2, 3], lost: [1, 2], bears: false, text: 'two of three' },
  { voters: [1, 2], lost: [1], bears: false, text: 'one of two may have what nobody else has' },
  { voters: [1, 2, 3], leaving: [3, 2], bears: true, text: 'two leave that are well' },
  { voters: [1, 2, 3], leaving: [1, 2, 3], bears: false, text: 'nobody would stay' },
  { voters: [1, 2, 3], lost: [1], leaving: [3], bears: false, text: 'two would stay' },
  {
    ...{ voters: [1, 2, 3], lost: [1], leaving: [1, 3] },
    ...{ bears: false, text: 'whoever leaves first: when it is 3, one of two is lost' },
  },
  { voters: [1, 2, 3, 4, 5], lost: [1], leaving: [4, 5], bears: true, text: 'of five' },
  { voters: [1, 2, 3], lost: [1], witness: 3, bears: false, text: 'the witness has no data' },
  { voters: [1, 2, 3, 4, 5], lost: [1], witness: 5, bears: true, text: 'others have' },
];

export function testSuffice(t: Test): void {
  t.test('the faults of a run leave a majority its data', async (t) => {
    for (const { voters, lost = [], leaving = [], witness, bears, text } of cases) {
      const found = suffice(voters as readonly NodeId[], {
        lost: new Set(lost as readonly NodeId[]),
        leaving: new Set(leaving as readonly NodeId[]),
        isWitness: (node) => node === witness,
      });
      t.equal(found, bears, text);
    }
  });
}
