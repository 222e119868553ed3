import { api } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';

describe('a node that restarts while a newer version has already migrated the database', () => {
  const latchkey = startLatchkey();

  test('goes on with it', async () => {
    await latchkey.database.query(
      "insert into kysely_migration (name, timestamp) values ('9999_of_a_newer_version', now()::text)",
    );
    const node = await latchkey.startNode();
    expect(
      await latchkey.post('/oauth/token', { grant_type: 'client_credentials', resource: api }, 'service', node.address),
    ).toMatchObject({ status: 200 });
  });
});
