import { notFound } from '../../../../platform/http/index.ts';
import { counted } from '../../words.ts';
import type { Action } from '../actions.ts';
import { impactOf, withImpact } from '../impact.ts';
import type { RequestContext } from '../request-context.ts';
import { nameOf } from './list.ts';

const handleIn = ({ params: { kind = '', id = '' } }: RequestContext) => ({ credential: { kind, id } });

/** Revoking one credential of any kind. */
export const revoking: Action = {
  path: '/credentials/:kind/:id/revoke',
  route: 'POST /revocations',
  describe: async (context) => {
    const { api, crumb } = context;
    const handle = handleIn(context);
    const { kind, id } = handle.credential;
    const { items } = await api.call('GET /credentials', { query: { kind, q: id } });
    const found = items.find((item) => item.id === id);
    if (!found) throw notFound('credential', id);
    const { impact } = await api.call('POST /revocations', { body: { handle, dry_run: true } });
    const { other_credentials = 0, ...live } = impact;
    const itself = { text: counted(other_credentials, 'secret'), words: 'refused from the next request' };
    return {
      crumb,
      heading: `Revoke ${nameOf(found)}?`,
      name: '',
      words: ['It is refused from the next request, on every node. This cannot be undone.'],
      impact: [...(other_credentials > 0 ? [itself] : []), ...impactOf(live)],
      fields: [],
      button: other_credentials > 0 ? 'Revoke 1 secret' : withImpact('Revoke', live),
      danger: true,
      back: crumb.href,
    };
  },
  perform: async (context) => {
    await context.api.call('POST /revocations', { body: { handle: handleIn(context) } });
    return { to: '/console/credentials', done: 'revoked' };
  },
};
