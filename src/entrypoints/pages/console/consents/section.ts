import type { ConsoleSection } from '../section.ts';
import { revokingConsent } from './actions.ts';
import { showConsent } from './detail.ts';
import { consentList } from './list.ts';

export const consents: ConsoleSection = {
  section: 'consents',
  label: 'Consents',
  group: 'Identity',
  icon: 'consent',
  permission: 'latchkey:consent:read',
  main: { list: () => consentList },
  details: {
    '/consents/:consent_id': showConsent,
  },
  actions: [revokingConsent],
};
