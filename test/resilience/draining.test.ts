import { Agent, request } from 'node:http';
import { eventually } from '../support/eventually.ts';
import { HeldStatement } from '../support/held-statement.ts';
import { api } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { withStalls } from '../support/stalls.ts';

/** Well below the ten seconds after which open connections are cut. */
const promptMs = 6000;

describe('a server that receives SIGTERM', () => {
  const latchkey = startLatchkey();

  test('stops in time although a client keeps its connection busy (RFC 9112 §9.6)', async () => {
    const node = await latchkey.startAnother();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let isOver = false;
    const connections = new Set<string | undefined>();
    const busy = async (): Promise<void> => {
      while (!isOver) isOver = !(await read(node.issuer, agent, connections));
    };
    const working = busy();
    await eventually(
      () => connections,
      (seen) => seen.has('keep-alive'),
      { pauseMs: 5 },
    );
    const { result, ownMs } = await withStalls(() => node.kill('SIGTERM'));
    expect(result).toBe(0);
    expect(ownMs).toBeLessThan(promptMs);
    await working;
    agent.destroy();
  });

  test('answers every request in flight correctly, and accepts no new one', async () => {
    const node = await latchkey.startNodeProcess();
    const tokens = await Promise.all([1, 2, 3, 4].map(() => latchkey.tokens({}, latchkey.browser(), 'bob')));
    const held = await HeldStatement.hold(latchkey.database.url, 'insert', 'access_tokens');
    const services = Array.from({ length: 16 }, () =>
      latchkey.clientCredentials({ resource: api }, 'service', node.address),
    );
    const rotations = tokens.map(({ refresh_token }) => latchkey.refresh(refresh_token, 'web-app', node.address));
    await held.reached();
    // Connections are accepted in order: once a later one is answered, these were accepted.
    await latchkey.post('/oauth/introspect', { token: 'none' }, 'web-app', node.address);
    const stopped = node.kill('SIGTERM');
    await refusal(node.address);
    await held.release();
    const answers = await Promise.all([...services, ...rotations]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.map(({ headers }) => headers.get('connection'))).toEqual(answers.map(() => 'close'));
    expect(await stopped).toBe(0);
    for (const { body } of await Promise.all(rotations))
      expect(await latchkey.refresh(body.refresh_token)).toMatchObject({ status: 200 });
  });
});

/** Resolves when a new connection is refused. */
async function refusal(address: string): Promise<void> {
  const cause = () =>
    fetch(`${address}/healthz`).then(
      () => undefined,
      (error: Error & { cause?: { code?: string } }) => error.cause?.code,
    );
  await eventually(cause, (code) => code === 'ECONNREFUSED', { pauseMs: 5 });
}

/** Whether there was a response; records its `Connection` header. */
function read(issuer: string, agent: Agent, connections: Set<string | undefined>): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(`${issuer}/readyz`, { agent }, (response) => {
      connections.add(response.headers.connection);
      response.resume().once('end', () => resolve(true));
    });
    sent.once('error', () => resolve(false));
    sent.end();
  });
}
