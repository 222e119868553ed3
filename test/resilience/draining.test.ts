import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLatchkey } from '../support/latchkey.ts';

/** Well below the ten seconds after which open connections are cut. */
const promptMs = 6000;

describe('a server that is told to stop', () => {
  const latchkey = startLatchkey();

  test('is down in time although a client keeps its connection busy (RFC 9112 §9.6)', async () => {
    const node = await latchkey.startAnother();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let isOver = false;
    const connections = new Set<string | undefined>();
    const busy = async (): Promise<void> => {
      while (!isOver) isOver = !(await read(node.issuer, agent, connections));
    };
    const working = busy();
    while (!connections.has('keep-alive')) await sleep(5);
    const startedAt = performance.now();
    expect(await node.kill('SIGTERM')).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(promptMs);
    await working;
    agent.destroy();
  });
});

/** Whether there was an answer; notes what it said about its connection. */
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
