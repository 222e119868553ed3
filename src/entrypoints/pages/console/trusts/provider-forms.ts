import type { Field } from '../../records/page-shapes.ts';
import type { Action, FormInput } from '../actions.ts';
import { conditionsIn } from './condition-lines.ts';
import { advancedLoginFields, loginFields, loginIn } from './login-fields.ts';
import { type Trust, trustPath } from './trust.ts';
import { conditionsField, issuerField, nameField } from './trust-fields.ts';

const nameHint = 'Shown in this console.';
const conditionsHint = 'One per line; all must be met. Such as “hd = example.com” at Google.';
const issuers = ['https://accounts.google.com', 'https://github.com', 'https://login.microsoftonline.com/TENANT/v2.0'];

/** The fields of an identity provider that users sign in with. */
export function providerFields(trust?: Trust): Field[] {
  const rest = [conditionsField(conditionsHint, trust), ...advancedLoginFields(trust?.login)];
  return [
    nameField(nameHint, trust?.name),
    ...(trust ? [] : [issuerField(issuers)]),
    ...loginFields(trust?.login),
    ...rest.map((field) => ({ ...field, group: 'Advanced' })),
  ];
}

/** The changes of a form to an identity provider; empty fields are removed. */
export function providerChanges(sent: FormInput) {
  return { ...plainIn(sent), login: { scopes: null, label: null, ...loginIn(sent) } };
}

const plainIn = (sent: FormInput) => ({
  name: sent.text('name') ?? '',
  conditions: conditionsIn(sent.lines('conditions'), 'conditions'),
});

export const addingProvider: Action = {
  path: '/new-identity-provider',
  route: 'POST /trusts',
  describe: async ({ crumb }) => ({
    crumb,
    heading: 'Add identity provider',
    name: '',
    words: [
      'Users sign in with their account at this provider. The next page shows the redirect URI to register there.',
    ],
    impact: [],
    fields: providerFields(),
    button: 'Add identity provider',
    danger: false,
    back: crumb.href,
  }),
  perform: async ({ api }, sent) => {
    const body = { kind: 'login' as const, issuer: sent.text('issuer') ?? '', ...plainIn(sent), login: loginIn(sent) };
    const { id } = await api.call('POST /trusts', { body });
    return { to: trustPath(id), done: 'registered' };
  },
};
