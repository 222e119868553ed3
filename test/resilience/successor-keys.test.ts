import { createSecretKey, randomBytes } from 'node:crypto';
import { seal } from '../../src/platform/crypto/index.ts';
import { api, clientSecrets } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { rounds } from '../support/report.ts';
import { testRootKey } from '../support/server.ts';

describe('nodes with different keys', () => {
  const latchkey = startLatchkey();

  const addKey = (purpose: string) =>
    latchkey.database.query('insert into server_keys (purpose, sealed, created_at) values ($1, $2, now())', [
      purpose,
      seal(createSecretKey(testRootKey, 'base64'), ['server_keys', 'sealed', purpose], randomBytes(32)),
    ]);

  test('derive the same successor of a refresh token, no matter which of them issued it', async () => {
    const before = await latchkey.tokens();
    await addKey('successor');
    // Only this node was started after the key was created.
    const { address } = await latchkey.startNode();
    const nodes = [latchkey.issuer, address];
    let { refresh_token } = before;
    for (let round = 0; round < rounds(4); round += 1) {
      const all = Array.from({ length: 30 }, (_, n) => latchkey.refresh(refresh_token, 'web-app', nodes[n % 2]));
      const answers = await Promise.all(all);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
      // A single node decides which key derives the next token.
      const next = answers[0]?.body.refresh_token ?? '';
      refresh_token = (await latchkey.refresh(next, 'web-app', nodes[round % 2])).body.refresh_token;
    }
  });

  test('accept a client secret, no matter which of them stored it', async () => {
    await addKey('pepper');
    const added = await latchkey.commandJson(['client', 'add-secret', 'service']);
    expect(Object.values(added)).toContainEqual(expect.stringMatching(/^lk_cs_/));
    const secret = String(Object.values(added).find((value) => String(value).startsWith('lk_cs_')));
    const ask = (client_secret: string) =>
      fetch(`${latchkey.issuer}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`service:${encodeURIComponent(client_secret)}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: api }),
      });
    expect((await ask(secret)).status).toBe(200);
    expect((await ask(clientSecrets.service)).status).toBe(200);
  });
});
