import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { eventually } from '../../support/eventually.ts';
import type { RunningServer } from '../../support/hosted-server.ts';
import { jwtApi } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('rotating the signing key', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_KEY_ACTIVATION_SECONDS: '600' } });
  let other: RunningServer;
  beforeAll(async () => {
    other = await latchkey.startNode();
  });

  const publishedKids = async (node: string): Promise<string[]> => {
    const response = await fetch(`${node}/oauth/jwks`, {
      headers: { 'x-forwarded-host': new URL(latchkey.issuer).host },
    });
    const { keys } = (await response.json()) as { keys: { kid: string; alg: string; d?: string }[] };
    expect(keys.every((key) => key.d === undefined)).toBe(true);
    return keys.filter(({ alg }) => alg === 'ES256').map(({ kid }) => kid);
  };
  const newToken = async () => {
    const { body } = await latchkey.clientCredentials({ resource: jwtApi, scope: 'report:read' });
    return body.access_token;
  };
  const signerOf = (token: string) => decodeProtectedHeader(token).kid;
  const untilPublished = (node: string, isWanted: (kids: string[]) => boolean) =>
    eventually(() => publishedKids(node), isWanted);

  test('publishes the new key on every node first, then signs with it, and removes the old one once its signatures have expired', async () => {
    const [old] = await publishedKids(latchkey.issuer);
    const early = await newToken();
    const made = await latchkey.commandJson(['signing-key', 'rotate']);
    const kid = String(made.kid);

    for (const node of [latchkey.issuer, other.address]) await untilPublished(node, (kids) => kids.includes(kid));
    expect(signerOf(await newToken())).toBe(old);

    await latchkey.advance(601);
    await eventually(
      async () => signerOf(await newToken()),
      (signer) => signer === kid,
    );
    const jwks = createRemoteJWKSet(new URL(`${latchkey.issuer}/oauth/jwks`));
    await expect(
      jwtVerify(await newToken(), jwks, { currentDate: new Date(Date.now() + 601_000) }),
    ).resolves.toBeTruthy();
    await expect(jwtVerify(early, jwks)).resolves.toMatchObject({ protectedHeader: { kid: old } });

    await latchkey.advance(86_400);
    for (const node of [latchkey.issuer, other.address])
      await untilPublished(node, (kids) => !kids.includes(String(old)));
  });

  test('waits for a rotation that is in progress', async () => {
    await latchkey.commandJson(['signing-key', 'rotate', '--alg', 'EdDSA']);
    const { code, stderr } = await latchkey.command(['signing-key', 'rotate', '--alg', 'EdDSA']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/The EdDSA key .* signs from .*; rotate again after that\./),
    });
  });

  test('is recorded', async () => {
    expect(await latchkey.auditEvents('signing_key.created')).toContainEqual(
      expect.objectContaining({
        target_kind: 'signing_key',
        actor_kind: 'system',
        outcome: 'success',
        details: { alg: 'ES256' },
      }),
    );
  });

  test('after a leak removes every older key at once, a scheduled one too, and tokens it signed are refused', async () => {
    const before = await publishedKids(latchkey.issuer);
    const token = await newToken();
    const { kid } = await latchkey.commandJson(['signing-key', 'rotate', '--leaked']);
    expect(before).not.toContain(kid);
    for (const node of [latchkey.issuer, other.address]) await untilPublished(node, (kids) => kids.join() === kid);
    expect(await latchkey.isActive(token, 'service')).toBe(false);
    expect(signerOf(await newToken())).toBe(kid);
  });
});
