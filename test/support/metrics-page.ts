import { freePort } from './free-port.ts';

/** The metrics page of a server that is started with these settings. */
export type MetricsPage = { settings: { LATCHKEY_METRICS_PORT: string }; read: () => Promise<string> };

export async function openMetricsPage(): Promise<MetricsPage> {
  const port = await freePort();
  return {
    settings: { LATCHKEY_METRICS_PORT: String(port) },
    read: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
  };
}
