import { eventually } from '../../support/eventually.ts';
import { queueJob } from '../../support/jobs.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('expired rows', () => {
  const latchkey = startLatchkey();

  const counts = async () => {
    const { rows } = await latchkey.database.query(`select
      (select count(*) from access_tokens)::int as access_tokens, (select count(*) from authorization_codes)::int as codes,
      (select count(*) from interactions)::int as interactions, (select count(*) from sessions)::int as sessions,
      (select count(*) from refresh_families)::int as families, (select count(*) from grants)::int as grants,
      (select count(*) from consents)::int as consents`);
    return rows[0];
  };
  type Counts = { access_tokens: number; interactions: number; grants: number };
  const untilCounted = (isWanted: (seen: Counts) => boolean) =>
    eventually(counts, isWanted, { withinMs: 120_000, pauseMs: 200 });
  const removeNow = () => queueJob(latchkey.database, 'remove-expired');

  test('are deleted, and consents and active rows are kept', async () => {
    await latchkey.tokens();
    await latchkey.clientCredentials({ resource: 'https://api.example' });
    await latchkey.browser().get(latchkey.authorizeUrl());
    await latchkey.advance(3 * 86_400);
    const { refresh_token } = await latchkey.tokens();
    await removeNow();
    await untilCounted(({ interactions, access_tokens }) => interactions === 0 && access_tokens === 1);
    expect(await counts()).toMatchObject({ codes: 1, families: 2, grants: 2, sessions: 2, consents: 1 });
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 200 });

    await latchkey.advance(200 * 86_400);
    await removeNow();
    await untilCounted(({ grants }) => grants === 0);
    expect(await counts()).toMatchObject({ access_tokens: 0, codes: 0, families: 0, sessions: 0, consents: 1 });
  });
});
