import { decodeProtectedHeader } from 'jose';
import { eventually } from '../../support/eventually.ts';
import { jwtApi } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { askForList, placeOf, verifiedList } from '../../support/status-list.ts';

describe('two nodes', () => {
  const latchkey = startLatchkey();
  let nodes: string[] = [];
  beforeAll(async () => {
    nodes = [latchkey.issuer, (await latchkey.startNode()).address];
  });
  const newToken = async (node: string) =>
    (await latchkey.clientCredentials({ resource: jwtApi }, 'service', node)).body.access_token;

  test('never give two tokens the same index, and each publishes the indexes of both', async () => {
    const tokens = await Promise.all(Array.from({ length: 60 }, (_, n) => newToken(nodes[n % 2] ?? '')));
    const places = tokens.map(placeOf);
    expect(new Set(places.map(({ uri, idx }) => `${uri} ${idx}`)).size).toBe(60);
    for (const uri of new Set(places.map(({ uri }) => uri)))
      for (const node of nodes) expect((await verifiedList(latchkey, uri, node)).payload.sub).toBe(uri);
  });

  test('use the same validator for a list, so that any of them can confirm it', async () => {
    const { uri } = placeOf(await newToken(latchkey.issuer));
    const etags = () =>
      Promise.all(nodes.map(async (node) => (await askForList(latchkey, uri, {}, node)).headers.get('etag')));
    await eventually(etags, ([first, second]) => first === second);
  });

  test('sign lists with the key that signs tokens, also after a rotation', async () => {
    const { uri } = placeOf(await newToken(latchkey.issuer));
    const { kid } = await latchkey.commandJson(['signing-key', 'rotate']);
    const signers = () =>
      Promise.all(
        nodes.map(async (node) => {
          const { body } = await askForList(latchkey, uri, {}, node);
          return decodeProtectedHeader(String(body.text)).kid;
        }),
      );
    expect(await signers()).not.toContain(kid);
    await latchkey.advance(601);
    await eventually(signers, (kids) => kids.every((each) => each === kid));
    expect((await verifiedList(latchkey, uri)).protectedHeader.kid).toBe(kid);
  });
});
