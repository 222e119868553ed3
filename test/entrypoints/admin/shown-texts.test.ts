import { type AdminAnswer, type AdminApi, asOwner } from '../../support/admin.ts';
import { withConfiguration } from '../../support/configuration-file.ts';
import { api, password, redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const id = () => `t-${crypto.randomUUID().slice(0, 8)}`;
const uri = () => `https://${id()}.example`;
const web = (more: object) => ({ client_id: id(), redirect_uris: [redirectUri], scope: 'openid', ...more });
const server = (more: object) => ({ identifier: uri(), name: 'An API', ...more });
const key = (more: object) => ({ name: 'A key', environment: 'dev', permissions: ['read'], ...more });
const service = (more: object) => ({ client_id: id(), grant_types: ['client_credentials'], ...more });

const invisible: [string, string][] = [
  ['turns the direction of writing (CVE-2021-42574)', 'Shop\u202egnp.exe'],
  ['isolates a direction', '\u2066Shop\u2069'],
  ['marks a direction', 'Shop\u200f'],
  ['marks an Arabic direction', '\u061cShop'],
  ['has a space without width', 'Sh\u200bop'],
  ['has a joiner between Latin letters', 'Sh\u200dop'],
  ['has a byte order mark', '\ufeffShop'],
  ['has a soft hyphen', 'Sh\u00adop'],
  ['has invisible tags', 'Shop\u{e0041}\u{e007f}'],
  ['has a variation selector', 'Shop\ufe0f'],
  ['has a filler that is no format character', 'Shop\u3164'],
  ['has an annotation', 'Shop\ufff9x\ufffb'],
  ['begins a new line', 'Shop\u2028Bank'],
  ['is a control character', 'Shop\u0007'],
  ['is blank', ' \u3000 '],
];

describe('a text that other users see', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  test.each(invisible)('that %s is refused, with the name of its field', async (_, text) => {
    const scopes = [{ name: 'read', description: text }];
    expect(await owner.post('/resource-servers', server({ scopes }))).toMatchObject({
      status: 400,
      body: { pointer: expect.stringMatching(/^\/scopes\/0\/description$/) },
    });
  });

  const twisted = 'Read\u202e';
  const fields: [string, (as: AdminApi) => Promise<AdminAnswer>][] = [
    ['the name of a client', (as) => as.post('/clients', web({ client_name: twisted }))],
    ['a contact of a client', (as) => as.post('/clients', web({ contacts: [twisted] }))],
    ['the page of a client', (as) => as.post('/clients', web({ client_uri: `https://a.example/${twisted}` }))],
    ['where a client leads', (as) => as.post('/clients', web({ redirect_uris: [`https://a.example/${twisted}`] }))],
    ['what a client may', (as) => as.post('/clients', web({ resources: { [api]: [twisted] } }))],
    ['where a client may', (as) => as.post('/clients', web({ resources: { [`${api}/${twisted}`]: ['read'] } }))],
    ['whose tokens a client sees', (as) => as.post('/clients', web({ introspects: [`${api}/${twisted}`] }))],
    ['the label of a secret', (as) => as.post('/clients/service/secrets', { label: twisted })],
    ['the label of a new secret', (as) => as.post('/clients/service/secrets/rotate', { label: twisted })],
    ['the name of an API', (as) => as.post('/resource-servers', server({ name: twisted }))],
    ['the identifier of an API', (as) => as.post('/resource-servers', server({ identifier: `${uri()}/${twisted}` }))],
    ['what is said of a role', (as) => as.post('/roles', { name: id(), description: twisted })],
    ['what is said of a role now', (as) => as.patch('/roles/shown', { description: twisted })],
    [
      'where a role gives',
      (as) => as.post('/roles', { name: id(), permissions: [{ resource: twisted, pattern: 'a' }] }),
    ],
    ['the name of a person', (as) => as.post('/users', { username: id(), name: twisted })],
    ['the name of a person now', (as) => as.patch('/users/bob', { name: twisted })],
    ['the name of a key', (as) => as.post('/api-keys', key({ name: twisted }))],
    ['what is said of a key', (as) => as.post('/api-keys', key({ description: twisted }))],
    ['a tag of a key', (as) => as.post('/api-keys', key({ tags: ['a\u3164'] }))],
    ['what is noted of a key', (as) => as.post('/api-keys', key({ metadata: { team: twisted } }))],
    ['the name of a note', (as) => as.post('/api-keys', key({ metadata: { [twisted]: 'shop' } }))],
    ['where a key may', (as) => as.post('/api-keys', key({ permissions: [{ resource: twisted, pattern: 'a' }] }))],
    ['what is said of a webhook', (as) => as.post('/webhooks', { url: 'http://localhost:9/', description: twisted })],
    ['where a webhook leads', (as) => as.post('/webhooks', { url: `http://localhost:9/${twisted}` })],
  ];
  test.each(fields)('is refused as %s', async (_, send) => {
    await owner.post('/roles', { name: 'shown' });
    const { status, body } = await send(owner);
    expect(status).toBe(400);
    // A text that is a member's name, rather than its value, is refused as a name.
    expect(body.detail).toMatch(/invisible|\bkey\b|\bname\b/);
  });

  test('may be in any script, with the joiners of that script (RFC 5892 appendix A)', async () => {
    for (const client_name of ['Łódź & Søn', '東京ショップ', 'علی\u200cرضا', 'क्\u200dष', 'متجر', 'חנות', 'Shop 🛒']) {
      expect(await owner.post('/clients', service({ client_name }))).toMatchObject({ status: 201 });
    }
  });

  test('is refused by configuration as code and by the command line, too', async () => {
    const clients = [{ ...service({}), client_name: twisted }];
    const applied = await withConfiguration({ clients }, (file) => latchkey.command(['apply', file]));
    expect(applied).toMatchObject({ code: 1, stderr: expect.stringContaining('/clients/0/client_name') });
    const labelled = await latchkey.command(['client', 'add-secret', 'service', '--label', twisted]);
    expect(labelled).toMatchObject({ code: 2, stderr: expect.stringMatching(/--label .*invisible/) });
  });

  test('that was stored before cannot reorder the text of a page', async () => {
    await latchkey.database.query(
      `update permissions set description = $1 where name = 'read' and resource_server_id =
        (select id from resource_servers where identifier = $2)`,
      [twisted, api],
    );
    const browser = latchkey.browser();
    await browser.submit(await browser.get('/sign-in'), { login: 'bob', password }, '/sign-in');
    const { html } = await browser.get(latchkey.authorizeUrl());
    expect(html).toContain('Read\ufffd');
    expect(html).not.toContain('\u202e');
  });
});
