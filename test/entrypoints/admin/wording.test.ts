import { type AdminApi, asOwner } from '../../support/admin.ts';
import { type ConsoleBrowser, consoleAs, wordsOf } from '../../support/console.ts';
import { redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

type Schema = { properties?: Record<string, Schema>; $ref?: string };
type Operation = { requestBody?: { content: Record<string, { schema: Schema }> } };
type Description = {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
};

/** Phrases of zod and oidc-provider. */
const validators =
  /invalid input:|expected \w+, received|expected (string|number|array|object|one of)|too (small|big):|invalid (string|option|number|uuid|url|email|iso)|unrecognized key|discriminator|must match pattern|mandatory property|must (only )?contain (members|strings|web uris)|authorization server supported|native clients using/i;
const junk = [undefined, null, true, -1, 1.5, '', 'x'.repeat(5000), [], [null], [''], {}, { '': null }];

describe('an error in an input', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let console: ConsoleBrowser;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    console = await consoleAs(latchkey);
  });

  test('is in plain words for every route of the admin API', async () => {
    const { body } = await owner.get('/openapi.json');
    const { paths, components } = body as unknown as Description;
    const resolved = ({ $ref, ...schema }: Schema): Schema =>
      $ref ? (components?.schemas?.[$ref.split('/').at(-1) ?? ''] ?? {}) : schema;
    const details: string[] = [];
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { requestBody }] of Object.entries(operations)) {
        const [media] = Object.values(requestBody?.content ?? {});
        if (!media) continue;
        const names = Object.keys(resolved(media.schema).properties ?? {});
        const address = path.replace(/^\/admin\/v1/, '').replaceAll(/\{\w+\}/g, '0196b6f0-0000-7000-8000-000000000000');
        const sent = junk.map((value) => Object.fromEntries(names.map((name) => [name, value])));
        const answers = await Promise.all(
          [...sent, [], 'x', { unknown: 1 }].map((each) => owner.call(method.toUpperCase(), address, { body: each })),
        );
        details.push(...answers.filter(({ status }) => status >= 400).map((each) => JSON.stringify(each.body)));
      }
    expect(details.length).toBeGreaterThan(100);
    expect(details.filter((detail) => validators.test(detail))).toEqual([]);
  });

  test.each<[string, object, string, string]>([
    ['a missing member', { client_id: undefined }, '/client_id', 'is required'],
    ['another kind of value', { client_name: 5 }, '/client_name', 'must be text'],
    ['too much text', { client_name: 'x'.repeat(101) }, '/client_name', 'must have at most 100 characters'],
    ['no text', { client_name: '' }, '/client_name', 'must not be empty'],
    ['a list of something else', { introspects: [5] }, '/introspects/0', 'must be text'],
    ['no address', { introspects: ['x'] }, '/introspects/0', 'must be an address, such as https://api.example'],
    ['too large a number', { lifetimes: { access_token: 86_401 } }, '/lifetimes/access_token', 'must be at most 86400'],
    ['half a second', { lifetimes: { access_token: 1.5 } }, '/lifetimes/access_token', 'must be a whole number'],
    ['no second', { lifetimes: { access_token: 0 } }, '/lifetimes/access_token', 'must be more than 0'],
    ['an unknown part', { lifetimes: { x: 1 } }, '/lifetimes/x', 'is not known'],
  ])('names the member and the expected value: %s', async (_, change, pointer, detail) => {
    const { status, body } = await owner.post('/clients', {
      client_id: 'new',
      redirect_uris: [redirectUri],
      ...change,
    });
    expect([status, body.errors]).toEqual([400, expect.arrayContaining([{ pointer, detail }])]);
  });

  test.each<[object, string, string]>([
    [{ redirect_uris: ['app://bundle/x'] }, '/redirect_uris/0', 'other schemes need the application_type native'],
    [{ redirect_uris: [] }, '/redirect_uris', 'redirect_uris must not be empty'],
    [{ redirect_uris: [redirectUri], scope: 'openid read' }, '/scope', 'scopes of APIs belong in resources'],
    [{ redirect_uris: [redirectUri], contacts: ['x'] }, '/contacts/0', 'contacts must be an e-mail address'],
    [{ redirect_uris: [redirectUri], require_auth_time: 'yes' }, '/require_auth_time', 'must be true or false'],
    [{ redirect_uris: [`${redirectUri}#x`] }, '/redirect_uris/0', 'must not contain "#"'],
    [
      { redirect_uris: ['https://localhost/x'], application_type: 'native' },
      '/redirect_uris/0',
      'of a native client on a loopback address must begin with http://',
    ],
    [
      { redirect_uris: [redirectUri], token_endpoint_auth_method: 'private_key_jwt' },
      '',
      'jwks or jwks_uri is required: the client authenticates with a key',
    ],
  ])('in a registration has its own text: %j', async (metadata, pointer, words) => {
    const { status, body } = await owner.post('/clients', { client_id: 'new', ...metadata });
    expect([status, body.detail]).toEqual([400, expect.stringContaining(words)]);
    expect(body.pointer ?? '').toBe(pointer);
  });

  test('is shown beside the fields of the console, and by the command line', async () => {
    const page = await console.act('/new-client', { kind: 'web', client_id: 'ä', redirect_uris: 'app://bundle/x' });
    expect(page.status).toBe(400);
    expect(wordsOf(page)).not.toMatch(validators);
    const app = await console.act('/new-client', { kind: 'web', client_id: 'new', redirect_uris: 'app://bundle/x' });
    expect(wordsOf(app)).toContain('other schemes need the application_type native');
    const { stderr } = await latchkey.command(['client', 'add-secret', 'web-app', '--expires-in-days', 'soon']);
    expect(stderr).toContain('must be a number of days');
    const { stderr: short } = await latchkey.command(['client', 'create', 'new', '--redirect-uri', 'app://bundle/x']);
    expect(short).not.toMatch(validators);
  });
});
