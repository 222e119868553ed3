import { revocationImpact } from '../../../../domain/revocation/index.ts';
import type { Action } from '../actions.ts';
import { impactOf, withImpact } from '../impact.ts';
import { getGrant, grantPath } from './grant.ts';

export const revoking: Action = {
  path: '/grants/:grant_id/revoke',
  route: 'POST /grants/{grant_id}/revoke',
  describe: async (context) => {
    const grant = await getGrant(context);
    const ended = await revocationImpact(context.deps, { grant_id: grant.id });
    return {
      crumb: context.crumb,
      heading: `Revoke the grant of ${grant.client_id} for ${grant.username}?`,
      name: grant.client_id,
      words: ['The consent stays: the app can get tokens again when the user signs in to it.'],
      impact: impactOf(ended),
      fields: [],
      button: withImpact('Revoke', ended),
      danger: true,
      back: grantPath(grant.id),
    };
  },
  perform: async ({ api, params: { grant_id = '' } }) => {
    await api.call('POST /grants/{grant_id}/revoke', { params: { grant_id } });
    return { to: '/console/grants', done: 'revoked' };
  },
};
