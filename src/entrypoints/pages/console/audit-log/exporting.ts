import type { Action } from '../actions.ts';
import { presetFilter, rangeIn } from '../ranges.ts';

/** Downloading a range of the log, with its proofs. */
export const exporting: Action = {
  path: '/audit-log/export',
  route: 'GET /audit/export',
  describe: async ({ crumb, ctx }) => ({
    crumb,
    heading: 'Export audit log',
    name: '',
    words: [
      'You get the segments that were sealed in this time as JSON lines, with their events and seals. The public keys and latchkey audit verify --file verify them without this server. The export is recorded.',
    ],
    impact: [],
    fields: [
      {
        name: 'range',
        label: presetFilter.label,
        type: 'select',
        value: String(ctx.query.range ?? '24h'),
        options: presetFilter.options,
      },
    ],
    button: 'Export',
    danger: false,
    back: '/console/audit-log',
  }),
  perform: async ({ api, deps }, sent) => {
    const now = deps.now();
    const lines = await api.call('GET /audit/export', { query: rangeIn(now, { range: sent.text('range') }) });
    return { download: { name: `audit-log-${now.toISOString().slice(0, 10)}.ndjson`, lines } };
  },
};
