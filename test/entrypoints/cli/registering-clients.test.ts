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

  test('lists the types for an unknown one', async () => {
    const { code, stderr } = await latchkey.run('client', 'create', 'x', '--type', 'website');
    expect([code, stderr]).toEqual([2, expect.stringContaining('web, spa, native, service')]);
  });

  test('requires a redirect URI for a web client', async () => {
    const { code, stderr } = await latchkey.run('client', 'create', 'x');
    expect([code, stderr]).toEqual([2, 'latchkey: Give at least one --redirect-uri: where users are sent back to.\n']);
  });
});
