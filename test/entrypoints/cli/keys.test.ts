import { asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('latchkey key', () => {
  const latchkey = startLatchkey();
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.open(latchkey, await asOwner(latchkey));
  });
  const codeOf = async (key: unknown) => (await gateway.verify({ key, permission: 'database:read:products' })).code;
  /** What a command did, another process hears of within a second. */
  const becomes = (key: unknown, code: string) =>
    eventually(
      () => codeOf(key),
      (each) => each === code,
    );

  test('mints, lists, rotates, lets rest and ends a key beside the running server', async () => {
    const restrictions = '{"rate_limit": "100 requests/minute"}';
    const made = await latchkey.commandJson([
      ...['key', 'create', 'reports', '--client', 'service', '--environment', 'prod', '--tag', 'cli'],
      ...['--permission', 'database:read:*', '--restrictions', restrictions, '--risk', 'high'],
    ]);
    expect(made.key).toMatch(/^sk_prod_/);
    expect(await codeOf(made.key)).toBe('valid');
    const { keys } = await latchkey.commandJson(['key', 'list', '--tag', 'cli']);
    expect(keys).toMatchObject([{ id: made.id, owner: 'service', state: 'active' }]);
    expect(JSON.stringify(keys)).not.toContain(made.key);

    const rotated = await latchkey.commandJson(['key', 'rotate', String(made.id), '--overlap-seconds', '0']);
    expect(rotated).toMatchObject({ expiry_extended: false, expires_at: made.expires_at });
    await becomes(made.key, 'expired');
    expect(await codeOf(rotated.key)).toBe('valid');
    await latchkey.commandJson(['key', 'disable', String(made.id)]);
    await becomes(rotated.key, 'disabled');
    await latchkey.commandJson(['key', 'enable', String(made.id)]);
    await becomes(rotated.key, 'valid');
    expect(await latchkey.commandJson(['key', 'revoke', String(made.id)])).toEqual({ id: made.id, revoked: true });
    await becomes(rotated.key, 'revoked');
  });

  test.each([
    [['key', 'create', 'x'], 'Name the owner'],
    [['key', 'create', 'x', '--client', 'nobody'], 'There is no client "nobody"'],
    [['key', 'create', 'x', '--client', 'service', '--environment', 'moon'], 'The environments are dev, staging, prod'],
    [['key', 'create', 'x', '--client', 'service', '--restrictions', 'often'], 'must be JSON'],
    [['key', 'revoke', 'x'], 'must be the id of a key'],
    [['key', 'disable', '00000000-0000-7000-8000-0000000000ff'], 'There is no API key'],
  ])('%j fails with one sentence', async (args, sentence) => {
    const { code, stderr } = await latchkey.command(args);
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toContain(sentence);
  });
});
