import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { decodeJwt } from 'jose';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { consoleAs, wordsOf } from '../../support/console.ts';
import { jwtApi } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';

const bare = (id: string) => id.replaceAll('-', '');

/** Ways in which a username could be mistaken for the id of another user. */
const idShapes: [string, (id: string) => string][] = [
  ['the id itself', (id) => id],
  ['the id in capitals', (id) => id.toUpperCase()],
  ['the id without separators', bare],
  ['the id with dots for hyphens', (id) => id.replaceAll('-', '.')],
  ['the id with underscores for hyphens', (id) => id.replaceAll('-', '_')],
  ['the id with a hyphen at its end', (id) => `${id}-`],
  ['the id after "uuid-"', (id) => `uuid-${id}`],
];

describe('names and ids', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let alice: string;
  let bob: string;
  let folder: string;

  beforeAll(async () => {
    owner = await asOwner(latchkey);
    alice = await idOf('alice');
    bob = await idOf('bob');
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-names-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const apply = async (content: unknown, ...options: string[]) => {
    const file = path.join(folder, `${randomUUID()}.json`);
    await writeFile(file, JSON.stringify(content));
    return latchkey.command(['apply', file, ...options]);
  };
  const idOf = async (username: string) => String((await owner.get(`/users/username:${username}`)).body.id);
  const newUser = async () => {
    const { body } = await owner.post('/users', { username: `user-${randomUUID().slice(0, 8)}` });
    return { id: String(body.id), username: String(body.username) };
  };

  describe('a username that looks like the id of another user is refused', () => {
    test.each(idShapes)('%s (API)', async (_, shape) => {
      const { status, body } = await owner.post('/users', { username: shape(alice), password: 'a good password' });
      expect(status).toBe(400);
      expect(JSON.stringify(body)).toMatch(/must not look like an id/);
    });

    test.each(['.', '..'])('and so is %s, which no address could name (RFC 3986 §5.2.4)', async (name) => {
      expect(await owner.post('/users', { username: name })).toMatchObject({
        ...{ status: 400, body: { pointer: '/username' } },
      });
      const client = { client_id: name, redirect_uris: ['https://app.example/callback'] };
      expect(await owner.post('/clients', client)).toMatchObject({ status: 400, body: { pointer: '/client_id' } });
    });

    test('by the database too, with any version of Latchkey', async () => {
      const made = latchkey.database.query(
        `with made as (insert into subjects values (gen_random_uuid(), 'user') returning id)
          insert into users (id, username, created_at, updated_at) select id, $1, now(), now() from made`,
        [alice],
      );
      await expect(made).rejects.toThrow(/must not look like an id/);
    });

    test.each(['(alice)', 'id:alice', 'username:bob', 'ａlice', 'alice@example.com', 'alice\u200d'])(
      'like one that a lookup would read as something else: %j',
      async (username) => {
        expect(await owner.post('/users', { username, password: 'a good password' })).toMatchObject({ status: 400 });
      },
    );

    test('but one that only resembles an id is accepted', async () => {
      const username = `${bare(randomUUID()).slice(1)}`;
      expect(await owner.post('/users', { username })).toMatchObject({ status: 201, body: { username } });
    });
  });

  describe('if a user from an earlier version has another user’s id as their username', () => {
    let impostor: string;
    let victim: { id: string; username: string };
    let keyOf: (owner: string) => Promise<unknown>;

    beforeAll(async () => {
      victim = await newUser();
      impostor = (await newUser()).id;
      await latchkey.database.query('alter table users disable trigger users_username_is_no_id');
      await latchkey.database.query('update users set username = $1 where id = $2', [victim.id, impostor]);
      await latchkey.database.query('alter table users enable trigger users_username_is_no_id');
      keyOf = async (user) => {
        const { body } = await owner.post('/api-keys', { name: 'a key', owner: { user }, environment: 'dev' });
        return (body.owner as { id?: string })?.id;
      };
    });

    test('every lookup by that text finds the user with that id, and "username:" the other', async () => {
      const found = async (user: string) => (await owner.get(`/users/${user}`)).body.id;
      const assigned = async (subject: string) => {
        await owner.put(`/roles/auditor/assignments/user/${subject}`, {});
        const { body } = await owner.get(`/assignments/user/${subject}`);
        await owner.delete(`/roles/auditor/assignments/user/${subject}`);
        return body.items[0]?.subject_id;
      };
      const lookups = { found, assigned, keyOf };
      for (const [name, lookUp] of Object.entries(lookups)) {
        const [byText, byId, byUsername] = [victim.id, `id:${victim.id}`, `username:${victim.id}`];
        expect([name, await lookUp(byText), await lookUp(byId), await lookUp(byUsername)]).toEqual([
          name,
          victim.id,
          victim.id,
          impostor,
        ]);
      }
    });

    test('revoking everything of the victim ends the victim’s keys, not the other’s', async () => {
      const keys = async (user: string) =>
        (await owner.get(`/api-keys?state=active&user=id:${user}`)).body.items.length;
      await keyOf(`id:${victim.id}`);
      await keyOf(`id:${impostor}`);
      const before = await keys(impostor);
      await owner.post('/revocations', { handle: { user: victim.id } });
      expect([await keys(victim.id), await keys(impostor)]).toEqual([0, before]);
    });

    test('the console shows and changes the one that its link names', async () => {
      const console = await consoleAs(latchkey);
      const page = await console.get(`/users/${encodeURIComponent(`username:${victim.id}`)}`);
      expect(wordsOf(page)).toContain(`ID ${impostor}`);
      expect(wordsOf(await console.get(`/users/${victim.id}`))).toContain(`ID ${victim.id}`);
      await console.act(`/users/${victim.id}/change`, { name: 'The Victim' });
      expect((await owner.get(`/users/id:${victim.id}`)).body.name).toBe('The Victim');
      const list = await console.get('/users?sort=-created_at');
      expect(list.html).toContain(`/console/users/${encodeURIComponent(`username:${victim.id}`)}`);
    });

    test('they can still be disabled, and described by a configuration file', async () => {
      const file = { users: [{ username: victim.id, enabled: true, name: 'From before' }] };
      expect(await apply(file)).toMatchObject({ code: 0 });
      expect(await latchkey.command(['user', 'disable', `username:${victim.id}`])).toMatchObject({ code: 0 });
      expect((await owner.get(`/users/id:${victim.id}`)).body.enabled).toBe(true);
      expect((await owner.get(`/users/id:${impostor}`)).body.enabled).toBe(false);
    });
  });

  describe('a lookup names the kind of its key', () => {
    test.each([
      ['id:', () => `id:${bob}`, true],
      ['id: in capitals', () => `id:${bob.toUpperCase()}`, true],
      ['username:', () => 'username:bob', true],
      ['username: whatever its case', () => 'username:BOB', true],
      ['email:', () => 'email:bob@example.com', true],
      ['an id without a prefix', () => bob, true],
      ['an e-mail address without a prefix', () => 'bob@example.com', true],
      ['a username without a prefix', () => 'bob', true],
      ['an id after username:', () => `username:${bob}`, false],
      ['a username after id:', () => 'id:bob', false],
      ['a username after email:', () => 'email:bob', false],
      ['an e-mail address after username:', () => 'username:bob@example.com', false],
      ['an unknown prefix', () => 'name:bob', false],
      ['a prefix alone', () => 'username:', false],
    ])('%s', async (_, reference, isFound) => {
      const user = encodeURIComponent(reference());
      const answers = await Promise.all([
        owner.get(`/users/${user}`),
        owner.get(`/users/${user}/sessions`),
        owner.get(`/assignments/user/${user}`),
        owner.post('/revocations', { handle: { user: reference() }, dry_run: true }),
        owner.get(`/explanation?kind=user&subject=${user}&resource=https://api.example&permission=read`),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => (isFound ? 200 : 404)));
      const { body } = await owner.get(`/consents?user=${user}`);
      expect(body.items.every(({ user_id }) => isFound && user_id === bob)).toBe(true);
    });

    test('a client is identified by its client_id only, even if that looks like an id', async () => {
      for (const client_id of ['id:of-nobody', 'username:bob', 'bob']) {
        const made = await owner.post('/clients', { client_id, grant_types: ['client_credentials'] });
        expect(made.status).toBe(201);
        await owner.put(`/roles/auditor/assignments/client/${encodeURIComponent(client_id)}`, {});
        const { body } = await owner.get(`/assignments/client/${encodeURIComponent(client_id)}`);
        expect(body.items).toMatchObject([{ subject: client_id, subject_kind: 'client' }]);
      }
      expect((await owner.get('/assignments/user/bob')).body.items).toEqual([]);
    });

    test('the audit log in the console distinguishes a user from a client of the same name', async () => {
      const console = await consoleAs(latchkey);
      await owner.post('/clients', { client_id: 'alice', grant_types: ['client_credentials'] });
      const ofUser = wordsOf(await console.get('/audit-log?target=alice&action=client.created'));
      const ofClient = wordsOf(await console.get('/audit-log?target=client:alice&action=client.created'));
      expect(ofUser).toContain('No results');
      expect(ofClient).not.toContain('No results');
    });

    test('a file with the client "billing" does not name the client "Billing"', async () => {
      await owner.post('/clients', { client_id: 'Billing', grant_types: ['client_credentials'] });
      const file = { clients: [{ client_id: 'billing', grant_types: ['client_credentials'] }] };
      const { stdout } = await apply(file, '--prune', '--dry-run', '--json');
      const { pruned } = JSON.parse(stdout) as { pruned: { kind: string; id: string }[] };
      expect(pruned.filter(({ kind }) => kind === 'client').map(({ id }) => id)).toContain('Billing');
    });
  });

  describe('a client_id that looks like a UUID (RFC 9068 §5: a sub names one subject)', () => {
    const register = (client_id: string) => owner.post('/clients', { client_id, grant_types: ['client_credentials'] });

    test('is registered, and its tokens name it', async () => {
      const client_id = randomUUID();
      const { status, body } = await owner.post('/clients', {
        client_id,
        grant_types: ['client_credentials'],
        service_permissions: { [jwtApi]: ['report:read'] },
      });
      expect(status).toBe(201);
      const answer = await fetch(`${latchkey.issuer}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: jwtApi }),
        headers: { authorization: basic(client_id, String(body.client_secret)) },
      });
      const { access_token } = (await answer.json()) as { access_token: string };
      expect(decodeJwt(access_token)).toMatchObject({ sub: client_id, client_id });
      expect(await owner.patch(`/clients/${client_id}`, { client_name: 'Moved from Hydra' })).toMatchObject({
        status: 200,
      });
    });

    test.each(idShapes)('is refused when it is the id of a user: %s', async (_, shape) => {
      const client_id = shape(alice);
      const { status, body } = await register(client_id);
      expect({ status, detail: body.detail }).toEqual({
        status: 409,
        detail: expect.stringContaining('is already the id of another record'),
      });
    });

    test('is refused when it is the id of an API key or of a client’s row', async () => {
      const key = await owner.post('/api-keys', { name: 'k', owner: { user: `id:${alice}` }, environment: 'dev' });
      expect((await register(String(key.body.id))).status).toBe(409);
      const { rows } = await latchkey.database.query("select id from clients where client_id = 'web-app'");
      expect((await register(rows[0].id)).status).toBe(409);
    });

    test('is refused a second time in another spelling', async () => {
      const client_id = randomUUID();
      expect((await register(client_id)).status).toBe(201);
      expect((await register(client_id.toUpperCase())).status).toBe(409);
    });

    test('prevents a later user with that id: of two created at once one succeeds', async () => {
      for (let round = 0; round < 5; round += 1) {
        const id = randomUUID();
        const user = latchkey.database.query("insert into subjects values ($1, 'user')", [id]).then(
          () => 201,
          () => 409,
        );
        const statuses = await Promise.all([register(id).then(({ status }) => status), user]);
        expect(statuses.toSorted()).toEqual([201, 409]);
      }
    });

    test('is refused in a configuration file, with the name of its entry', async () => {
      const { stderr } = await apply({ clients: [{ client_id: bob, grant_types: ['client_credentials'] }] });
      expect(stderr).toMatch(/\/clients\/0.*is already the id of another record/);
    });
  });
});
