import type { ConsoleSection } from '../section.ts';
import { takingBack } from './actions.ts';
import { showConsent } from './detail.ts';
import { consentList } from './list.ts';

export const consents: ConsoleSection = {
  section: 'consents',
  label: 'Consents',
  words: 'What people allowed apps',
  permission: 'latchkey:consent:read',
  list: () => consentList,
  details: {
    '/consents/:consent_id': showConsent,
  },
  actions: [takingBack],
};
