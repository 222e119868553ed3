import { eventually } from '../support/eventually.ts';
import { HeldStatement } from '../support/held-statement.ts';
import { api } from '../support/installation.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';
import { report, rounds } from '../support/report.ts';
import { startCommand, testRootKey } from '../support/server.ts';

type Command = { words: string[]; input?: string };
type Point = { name: string; hold: (url: string) => Promise<HeldStatement>; isWhole: boolean };

const insert = (table: string): Point => ({
  name: `inserts into ${table}`,
  hold: (url) => HeldStatement.hold(url, 'insert', table),
  isWhole: false,
});
const commit = (table: string): Point => ({
  name: 'commits',
  hold: (url) => HeldStatement.holdCommit(url, table),
  isWhole: true,
});

// npm test covers two points of each command; the soak test covers all, with both fates.
const isShort = rounds(1) === 1;

/** The point of the kill, and whether PostgreSQL then executes the last statement it received. Only an executed commit is a change. */
function cases(...points: Point[]) {
  const all = points.flatMap((point) =>
    ['rolled back', 'carried out'].map((fate) => ({ ...point, fate, isDone: point.isWhole && fate === 'carried out' })),
  );
  return isShort ? all.filter((_, n) => n % 3 === 2) : all;
}

describe('a killed command', () => {
  const latchkey = startLatchkey();
  afterEach(async () => expect(await brokenInvariants(latchkey.database)).toEqual({}));

  const settings = () => ({ DATABASE_URL: latchkey.database.url, LATCHKEY_ROOT_KEY: testRootKey });
  const events = async (action: string) => (await latchkey.auditEvents(action)).length;
  const authenticates = async (client_id: string, secret: string) => {
    const headers = { authorization: basic(client_id, secret) };
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource: api });
    const response = await fetch(`${latchkey.issuer}/oauth/token`, { method: 'POST', headers, body });
    return response.status === 200;
  };

  /** Kills a command while PostgreSQL works on its statement. */
  async function killAt({ hold, fate }: Pick<Point, 'hold'> & { fate: string }, { words, input = '' }: Command) {
    const held = await hold(latchkey.database.url);
    const command = startCommand(words, { env: settings(), input });
    await Promise.race([held.reached(), command.ended]);
    command.kill('SIGKILL');
    expect(await command.ended).toMatchObject({ code: null, stdout: '' });
    if (fate === 'rolled back') await held.rollBack();
    await held.release();
    await transactionsEnded();
  }

  /** The transaction of a killed process ends when PostgreSQL finds its client disconnected. */
  async function transactionsEnded(): Promise<void> {
    const query = `select from pg_stat_activity where datname = current_database() and xact_start is not null
      and pid <> pg_backend_pid() and backend_type = 'client backend'`;
    await eventually(
      () => latchkey.database.query(query),
      ({ rowCount }) => rowCount === 0,
      { pauseMs: 5 },
    );
  }

  const secretCases = cases(insert('client_secrets'), insert('audit_events'), commit('client_secrets'));
  test.each(secretCases)(
    'while add-secret $name, which is then $fate: the secret and its event are stored both or neither',
    async ({ isDone, ...at }) => {
      const [old, secret] = ['the secret of the service', crypto.randomUUID()];
      const before = await events('client.secret.created');
      const command = { words: ['client', 'add-secret', 'service', '--secret-stdin'], input: secret };
      await killAt(at, command);
      expect(await authenticates('service', secret)).toBe(isDone);
      expect(await events('client.secret.created')).toBe(before + (isDone ? 1 : 0));

      expect(await latchkey.command(command.words, command.input)).toMatchObject({ code: 0 });
      expect(await events('client.secret.created')).toBe(before + (isDone ? 2 : 1));
      expect(await authenticates('service', secret)).toBe(true);
      expect(await authenticates('service', old)).toBe(true);
    },
  );

  const clientCases = cases(insert('clients'), insert('client_secrets'), commit('client_secrets'));
  test.each(clientCases)(
    'while client create $name, which is then $fate: the client, its secret and their events are stored all or none',
    async ({ isDone, ...at }) => {
      const client_id = `made-${crypto.randomUUID().slice(0, 8)}`;
      const words = ['client', 'create', client_id, '--type', 'service', '--resource', `${api}=read`];
      const before = [await events('client.created'), await events('client.secret.created')];
      await killAt(at, { words });
      const after = [await events('client.created'), await events('client.secret.created')];
      expect(after).toEqual(before.map((count) => count + (isDone ? 1 : 0)));

      // No one saw the secret of a created client, so another one is added. A client that was not created is created now.
      const { client_secret } = isDone
        ? await latchkey.commandJson(['client', 'add-secret', client_id])
        : await latchkey.commandJson(words);
      expect(await authenticates(client_id, String(client_secret))).toBe(true);
      if (isDone)
        expect((await latchkey.command(words)).stderr).toMatch(/A client with the client_id "made-\w+" already exists/);
    },
  );

  afterAll(() => report(`commands killed at ${secretCases.length + clientCases.length} points`));
});
