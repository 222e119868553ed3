import { brokenInvariants } from '../support/invariants.ts';
import { type Answer, startLatchkey } from '../support/latchkey.ts';
import { report, rounds } from '../support/report.ts';
import type { ServerProcess } from '../support/server.ts';

const thirty = Array.from({ length: 30 });

describe('round after round, on two nodes', () => {
  const latchkey = startLatchkey();
  let other: ServerProcess;
  beforeAll(async () => {
    other = await latchkey.startNode();
  });
  afterEach(async () => expect(await brokenInvariants(latchkey.database)).toEqual({}));

  const node = (n: number) => (n % 2 ? other.address : latchkey.issuer);
  const won = (answers: Answer[]) => answers.filter(({ status }) => status === 200);

  test(
    '30 refreshes at once are one rotation with one successor, and every answer is usable',
    async () => {
      let { refresh_token } = await latchkey.tokens();
      for (let round = 0; round < rounds(5); round += 1) {
        const presented = refresh_token;
        const answers = await Promise.all(thirty.map((_, n) => latchkey.refresh(presented, 'web-app', node(n))));
        expect(won(answers)).toHaveLength(30);
        const successors = new Set(answers.map(({ body }) => body.refresh_token));
        expect(successors.size).toBe(1);
        [refresh_token = ''] = successors;
        const { access_token } = (answers[round % 30] as Answer).body;
        expect(await latchkey.isActive(access_token, 'web-app', node(round))).toBe(true);
      }
      const { rows } = await latchkey.database.query('select max(generation)::int as generation from refresh_families');
      expect(rows).toEqual([{ generation: rounds(5) }]);
      report(`30 refreshes at once: ${rounds(5)} rounds, each one rotation`);
    },
    240_000 * rounds(1),
  );

  test(
    '30 redemptions of a code have one winner, whose tokens end because the code was used again (RFC 6749 §4.1.2)',
    async () => {
      const browser = latchkey.browser();
      for (let round = 0; round < rounds(2); round += 1) {
        const code = await latchkey.code({}, browser);
        const answers = await Promise.all(thirty.map((_, n) => latchkey.redeem(code, node(n))));
        expect(won(answers)).toHaveLength(1);
        const [{ body } = { body: { access_token: '' } }] = won(answers);
        expect(await latchkey.isActive(body.access_token, 'web-app', node(round))).toBe(false);
      }
      report(`30 redemptions of a code at once: ${rounds(2)} rounds, one winner each`);
    },
    240_000 * rounds(1),
  );
});
