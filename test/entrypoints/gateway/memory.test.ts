import { asOwner } from '../../support/admin.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type MetricsPage, openMetricsPage } from '../../support/metrics-page.ts';

const megabyte = 2 ** 20;

describe('the gateway', () => {
  let metrics: MetricsPage;
  const latchkey = startLatchkey({
    prepare: async () => {
      metrics = await openMetricsPage();
      return { env: metrics.settings };
    },
  });

  const megabytes = async () => {
    const [, bytes] = /^process_resident_memory_bytes (\d+)/m.exec(await metrics.read()) ?? [];
    return Number(bytes) / megabyte;
  };

  test('stores little for requests without a credential (CWE-770)', async () => {
    const gateway = await Gateway.open(latchkey, await asOwner(latchkey));
    const ask = (n: number) => gateway.forwardAuth(`?permission=${'{}'.repeat(7900)}${n}`, {});
    for (let n = 0; n < 50; n += 1) await ask(n);
    const before = await megabytes();
    for (let n = 50; n < 350; n += 1) expect((await ask(n)).status).toBe(401);
    // If it were stored, each would be three.
    expect((await megabytes()) - before).toBeLessThan(300);
  });
});
