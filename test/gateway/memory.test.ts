import { asOwner } from '../support/admin.ts';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { startLatchkey } from '../support/latchkey.ts';

const megabyte = 2 ** 20;

describe('the gateway', () => {
  let metricsPort = 0;
  const latchkey = startLatchkey({
    prepare: async () => {
      metricsPort = await freePort();
      return { env: { LATCHKEY_METRICS_PORT: String(metricsPort) } };
    },
  });

  const megabytes = async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]) / megabyte;
  };
  test('keeps little of what anybody asks without a credential (CWE-770)', async () => {
    const gateway = await Gateway.open(latchkey, await asOwner(latchkey));
    const ask = (n: number) => gateway.forwardAuth(`?permission=${'{}'.repeat(7900)}${n}`, {});
    for (let n = 0; n < 50; n += 1) await ask(n);
    const before = await megabytes();
    for (let n = 50; n < 350; n += 1) expect((await ask(n)).status).toBe(401);
    // Kept, each would be three.
    expect((await megabytes()) - before).toBeLessThan(300);
  });
});
