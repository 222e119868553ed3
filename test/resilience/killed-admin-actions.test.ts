import { type AdminApi, asOwner } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { HeldStatement } from '../support/held-statement.ts';
import { api } from '../support/installation.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { report, rounds } from '../support/report.ts';

/** An action of an administrator: its statements, its event, and a query that counts its effect. */
type Act = {
  name: string;
  method: 'POST' | 'PUT' | 'PATCH';
  path: string;
  body?: Record<string, unknown>;
  steps: ['insert' | 'update' | 'delete' | 'commit', string][];
  action: string;
  effect: string;
};

const acts: Act[] = [
  {
    name: 'registering a client',
    method: 'POST',
    path: '/clients',
    body: { client_id: '{new}', grant_types: ['client_credentials'], service_permissions: { [api]: ['read'] } },
    steps: [
      ['insert', 'clients'],
      ['insert', 'client_secrets'],
      ['insert', 'audit_events'],
      ['commit', 'clients'],
    ],
    action: 'client.created',
    effect:
      "select count(*)::int as n from clients c join client_secrets s on s.client_id = c.id where c.client_id like 'new-%'",
  },
  {
    name: 'making a secret',
    method: 'POST',
    path: '/clients/service/secrets',
    body: { label: '{new}' },
    steps: [
      ['insert', 'client_secrets'],
      ['insert', 'audit_events'],
      ['commit', 'client_secrets'],
    ],
    action: 'client.secret.created',
    effect: "select count(*)::int as n from client_secrets where label like 'new-%'",
  },
  {
    name: 'giving a role',
    method: 'PUT',
    path: '/roles/auditor/assignments/client/service',
    body: {},
    steps: [
      ['insert', 'role_assignments'],
      ['insert', 'audit_events'],
      ['commit', 'role_assignments'],
    ],
    action: 'role.assigned',
    effect:
      "select count(*)::int as n from role_assignments a join clients c on c.id = a.subject_id where c.client_id = 'service'",
  },
  {
    name: 'stopping a person',
    method: 'POST',
    path: '/users/bob/disable',
    steps: [
      ['update', 'users'],
      ['insert', 'audit_events'],
    ],
    action: 'user.disabled',
    effect: "select count(*)::int as n from users where username = 'bob' and not enabled",
  },
];

// npm test covers some of the points; the soak test covers all.
const isShort = rounds(1) === 1;
const fates = [
  'the server dies and nothing was heard of it',
  'the server dies and PostgreSQL goes on',
  'the database connection dies',
];
const points = acts
  .flatMap((act) => act.steps.flatMap((step) => fates.map((fate) => ({ act, step, fate }))))
  .filter((_, n) => !isShort || n % 6 === 1)
  .map(({ act, step, fate }) => ({ act, step, fate, title: `${act.name}, at ${step.join(' of ')}, when ${fate}` }));

describe('an interrupted request to the admin API', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  afterEach(async () => expect(await brokenInvariants(latchkey.database)).toEqual({}));

  const count = async (text: string, values: unknown[] = []) =>
    (await latchkey.database.query(text, values)).rows[0].n as number;
  const state = async ({ action, effect }: Act) => ({
    effects: await count(effect),
    events: await count('select count(*)::int as n from audit_events where action = $1', [action]),
  });

  async function settled(): Promise<void> {
    const query = `select from pg_stat_activity where datname = current_database() and xact_start is not null
      and pid <> pg_backend_pid() and backend_type = 'client backend'`;
    await eventually(
      () => latchkey.database.query(query),
      ({ rowCount }) => rowCount === 0,
      { pauseMs: 5 },
    );
  }

  async function undo(): Promise<void> {
    await owner.delete('/roles/auditor/assignments/client/service');
    await owner.patch('/users/bob', { enabled: true });
  }

  test.each(points)(
    '$title: effect and event are stored both or neither',
    async ({ act, step: [event, table], fate }) => {
      await undo();
      const before = await state(act);
      const node = await latchkey.startNodeProcess();
      const { database } = latchkey;
      const held = await (event === 'commit'
        ? HeldStatement.holdCommit(database.url, table)
        : HeldStatement.hold(database.url, event, table));
      const body = act.body && JSON.parse(JSON.stringify(act.body).replace('{new}', `new-${crypto.randomUUID()}`));
      const answer = owner.call(act.method, act.path, { body, node: node.address }).catch(() => undefined);
      await held.reached();
      if (fate === 'the database connection dies') {
        await held.rollBack();
        expect((await answer)?.status).toBe(503);
      } else {
        await node.kill('SIGKILL');
        if (fate === 'the server dies and nothing was heard of it') await held.rollBack();
      }
      await held.release();
      await answer;
      await settled();
      const after = await state(act);
      // A commit that PostgreSQL received may have taken effect: then its event also exists.
      const isDone = event === 'commit' && fate === 'the server dies and PostgreSQL goes on' ? 1 : 0;
      expect(after).toEqual({ effects: before.effects + isDone, events: before.events + isDone });
      if (fate === 'the database connection dies') await node.stop();

      const again = await owner.call(act.method, act.path, { body });
      expect([200, 201, 204, 409]).toContain(again.status);
      const last = await state(act);
      expect(last.effects - before.effects).toBe(last.events - before.events);
      expect(last.effects).toBeGreaterThan(before.effects);
    },
  );

  afterAll(() => report(`admin acts broken off at ${points.length} points`));
});
