import { commandLine } from '../../support/command-line.ts';

const api = 'https://api.example';

describe('registering a client at the command line', () => {
  const latchkey = commandLine();

  test('makes an API a client that may introspect its tokens', async () => {
    await latchkey.json('client', 'create', 'orders-api', '--type', 'service', '--introspects', api);
    const { items } = await latchkey.json<{ items: unknown[] }>('client', 'list');
    expect(items).toContainEqual(expect.objectContaining({ client_id: 'orders-api', introspects: [api] }));
  });

  test('lists what a client may request', async () => {
    await latchkey.json('client', 'create', 'billing', '--type', 'service', '--resource', `${api}=read write`);
    const { items } = await latchkey.json<{ items: unknown[] }>('client', 'list');
    const held = { resources: {}, service_permissions: { [api]: ['read', 'write'] } };
    expect(items).toContainEqual(expect.objectContaining({ client_id: 'billing', ...held }));
  });

  test('adds up the scopes of an API that is named several times, for clients and trusts alike', async () => {
    const named = [`${api}=read write`, 'https://other.example=read', `${api}=write delete`];
    const by = (option: string) => named.flatMap((text) => [option, text]);
    const held = { [api]: ['read', 'write', 'delete'], 'https://other.example': ['read'] };
    await latchkey.json('client', 'create', 'several', '--type', 'service', ...by('--resource'));
    const { items } = await latchkey.json<{ items: unknown[] }>('client', 'list');
    expect(items).toContainEqual(expect.objectContaining({ client_id: 'several', service_permissions: held }));
    const subject = ['--issuer', 'https://ci.example', '--claim', 'sub=job', '--jwks-uri', 'https://ci.example/keys'];
    await latchkey.json('trust', 'create', 'several', ...subject, ...by('--permission'));
    expect(await latchkey.json('trust', 'show', 'several')).toMatchObject({ permissions: held });
  });

  test('lists the types for an unknown one', async () => {
    const { code, stderr } = await latchkey.run('client', 'create', 'x', '--type', 'website');
    expect([code, stderr]).toEqual([2, expect.stringContaining('web, spa, native, service')]);
  });

  test('requires a redirect URI for a web client', async () => {
    const { code, stderr } = await latchkey.run('client', 'create', 'x');
    expect([code, stderr]).toEqual([2, 'latchkey: Give at least one --redirect-uri: where users are sent back to.\n']);
  });
});
