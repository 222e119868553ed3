import { impactOfConsent } from '../../../../domain/consents/index.ts';
import type { Action } from '../actions.ts';
import { impactOf, withImpact } from '../impact.ts';
import { consentPath, getConsent } from './consent.ts';

export const revokingConsent: Action = {
  path: '/consents/:consent_id/revoke',
  route: 'POST /consents/{consent_id}/revoke',
  describe: async (context) => {
    const consent = await getConsent(context);
    const ended = await impactOfConsent(context.deps, consent.consent_id);
    return {
      crumb: context.crumb,
      heading: `Revoke the access of ${consent.client_name} for ${consent.username}?`,
      name: consent.client_name,
      words: ['The app has to ask the user again before it gets another token.'],
      impact: impactOf(ended),
      fields: [],
      button: withImpact('Revoke access', ended),
      danger: true,
      back: consentPath(consent.consent_id),
    };
  },
  perform: async ({ api, params: { consent_id = '' } }) => {
    await api.call('POST /consents/{consent_id}/revoke', { params: { consent_id } });
    return { to: consentPath(consent_id), done: 'revoked' };
  },
};
