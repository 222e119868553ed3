import { commandLine } from '../../support/command-line.ts';

const client = (client_id: string) => ({ client_id, redirect_uris: [`https://${client_id}.example/callback`] });

describe('applying a file and pruning what it does not contain', () => {
  const latchkey = commandLine();

  test('changes nothing without a terminal and without --yes', async () => {
    await latchkey.json('apply', await latchkey.file({ clients: [client('old')] }));
    const refused = await latchkey.run('apply', await latchkey.file({ clients: [client('new')] }), '--prune');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    const { items } = await latchkey.json<{ items: { client_id: string }[] }>('client', 'list');
    expect(items.map(({ client_id }) => client_id)).toEqual(['old']);
  });

  test('still shows the secrets it created when something may not be pruned', async () => {
    await latchkey.json('user', 'create', 'alice', '--role', 'owner');
    const file = await latchkey.file({ clients: [client('newer')] });
    const refused = await latchkey.run('apply', file, '--prune', '--yes', '--json');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the last owner') });
    expect(JSON.parse(refused.stdout)).toMatchObject({
      changes: [{ id: 'newer', change: 'created', secret: expect.stringMatching(/^lk_cs_/) }],
      pruned: [{ kind: 'client', id: 'old' }],
    });
  });
});
