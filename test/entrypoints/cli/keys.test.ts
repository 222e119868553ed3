import { asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const create = ['key', 'create', 'x', '--client', 'service'];
const nobody = '00000000-0000-7000-8000-0000000000ff';

describe('latchkey key', () => {
  const latchkey = startLatchkey();
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.open(latchkey, await asOwner(latchkey));
  });
  const codeOf = async (key: unknown) => (await gateway.verify({ key, permission: 'database:read:products' })).code;
  /** Another process receives the change of a command within a second. */
  const becomes = (key: unknown, code: string) =>
    eventually(
      () => codeOf(key),
      (each) => each === code,
    );

  test('creates, lists, rotates, disables and revokes a key beside the running server', async () => {
    const restrictions = '{"rate_limit": "100 requests/minute"}';
    const made = await latchkey.commandJson([
      ...['key', 'create', 'reports', '--client', 'service', '--environment', 'prod', '--tag', 'cli'],
      ...['--permission', 'database:read:*', '--restrictions', restrictions, '--risk', 'high'],
    ]);
    expect(made.key).toMatch(/^sk_prod_/);
    expect(await codeOf(made.key)).toBe('valid');
    const { items: keys } = await latchkey.commandJson(['key', 'list', '--tag', 'cli']);
    expect(keys).toMatchObject([{ id: made.id, owner: { name: 'service' }, state: 'active' }]);
    expect(JSON.stringify(keys)).not.toContain(made.key);

    const rotated = await latchkey.commandJson(['key', 'rotate', String(made.id), '--overlap-seconds', '0']);
    expect(rotated).toMatchObject({ expiry_extended: false, expires_at: made.expires_at });
    await becomes(made.key, 'expired');
    expect(await codeOf(rotated.key)).toBe('valid');
    await latchkey.commandJson(['key', 'disable', String(made.id)]);
    await becomes(rotated.key, 'disabled');
    await latchkey.commandJson(['key', 'enable', String(made.id)]);
    await becomes(rotated.key, 'valid');
    expect(await latchkey.commandJson(['key', 'revoke', String(made.id)])).toMatchObject({
      id: made.id,
      state: 'revoked',
    });
    await becomes(rotated.key, 'revoked');
  });

  test.each([
    [2, ['key', 'create', 'x'], 'Name the owner of the key: --client or --user.'],
    [2, ['key', 'create', 'x', '--client', 'nobody'], 'There is no client "nobody"'],
    [2, [...create, '--environment', 'moon'], '--environment: The environments are dev, staging, prod'],
    [2, [...create, '--restrictions', 'often'], '--restrictions must be a JSON object'],
    [2, [...create, '--restrictions', '{"rate_limit": 5}'], '--restrictions (rate_limit) must be'],
    [2, [...create, '--permission', ''], '--permission (0'],
    [2, [...create, '--expires-in-days', '0'], '--expires-in-days must be at least 1'],
    [2, ['key', 'rotate', nobody, '--overlap-seconds', '-1'], '--overlap-seconds must be at least 0'],
    [2, ['key', 'revoke', 'x'], '<key-id> must be the id of a key'],
    [1, ['key', 'disable', nobody], 'There is no API key'],
  ])('exits with %i and one sentence that names the option: %j', async (expected, args, sentence) => {
    const { code, stderr } = await latchkey.command(args);
    expect({ code, lines: stderr.trim().split('\n').length, stderr }).toEqual({
      code: expected,
      lines: 1,
      stderr: expect.stringContaining(sentence),
    });
  });

  test.each([
    [['key', 'create', 'x', '--colour', 'red'], "unknown option '--colour'"],
    [['key', 'create'], "missing required argument 'name'"],
    [['key', 'create', 'x', '--risk', 'none'], 'Allowed choices are high, medium, low'],
    [['keys'], "unknown command 'keys'"],
    [['api', 'api-keys', 'mint'], "unknown command 'mint'"],
    [
      ['api', 'api-keys', 'create', '--permissions', 'read'],
      "option '--permissions <json>' argument 'read' is invalid",
    ],
  ])('exits with 2 for an unknown command: %j', async (args, sentence) => {
    const { code, stderr } = await latchkey.command(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(sentence) });
  });
});
