import { providerKinds } from '../../../../domain/trusts/index.ts';
import * as cell from '../../records/cells.ts';
import type { Fact, Field } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
import type { FormInput } from '../actions.ts';
import { mappingLine, mappingsIn } from './condition-lines.ts';
import type { Trust } from './trust.ts';

type Login = NonNullable<Trust['login']>;

const providers: Readonly<Record<Login['provider'], string>> = {
  oidc: 'Any OpenID provider',
  google: 'Google',
  microsoft: 'Microsoft Entra',
  github: 'GitHub',
};

const policies: Readonly<Record<Login['creation'], string>> = {
  off: 'No one: only users who connected it can sign in',
  domains: 'Users with a verified address in the domains above',
  open: 'Everyone who meets the conditions',
};

const optionsOf = (words: Readonly<Record<string, string>>) =>
  Object.entries(words).map(([value, text]) => ({ value, text }));

/** The usual fields of a trust by which users sign in. */
export function loginFields(login: Login | undefined): Field[] {
  return [
    {
      name: 'provider',
      label: 'Provider',
      type: 'select',
      value: login?.provider ?? 'oidc',
      options: optionsOf(Object.fromEntries(providerKinds.map((kind) => [kind, providers[kind]]))),
    },
    {
      name: 'client_id',
      label: 'Client ID',
      type: 'text',
      value: login?.client_id ?? '',
      hint: 'The client ID of this server at the provider.',
    },
    {
      name: 'client_secret',
      label: 'Client secret',
      type: 'password',
      value: '',
      is_secret: true,
      hint: login ? 'Empty: unchanged. It is never shown.' : 'It is stored encrypted, and never shown.',
    },
    {
      name: 'label',
      label: 'Name on the button',
      type: 'text',
      value: login?.label ?? '',
      hint: 'For example, the name of your organisation. Empty: that of the provider.',
    },
    {
      name: 'email_domains',
      label: 'E-mail domains',
      type: 'textarea',
      value: (login?.email_domains ?? []).join('\n'),
      hint: 'One per line: domains for which the provider is authoritative. Users with an address in one of them are sent to the provider.',
    },
    {
      name: 'creation',
      label: 'Accounts for new users',
      type: 'select',
      value: login?.creation ?? 'off',
      options: optionsOf(policies),
    },
  ];
}

/** The other ones. */
export function advancedLoginFields(login: Login | undefined): Field[] {
  return [
    {
      name: 'role_mappings',
      label: 'Roles by claims',
      type: 'textarea',
      value: (login?.role_mappings ?? []).map(mappingLine).join('\n'),
      hint: 'One per line, such as “groups = admins | operators -> reader”. Only roles that you may assign. A change signs out all users who signed in with the provider.',
    },
    {
      name: 'mapped_role_days',
      label: 'Roles by claims expire after (days)',
      type: 'number',
      value: String(login?.mapped_role_days ?? 7),
      hint: 'Counted from each sign-in with the provider. Then users sign in with it again to get the roles.',
    },
    {
      name: 'scopes',
      label: 'Scopes',
      type: 'text',
      value: (login?.scopes ?? []).join(' '),
      hint: 'Empty: the scopes for name and e-mail address.',
    },
    {
      name: 'administrators',
      label: 'Administrators',
      type: 'choices',
      value: login?.for_administrators ? 'allowed' : '',
      options: [{ value: 'allowed', text: 'Users who hold permissions of Latchkey or of secrets may sign in with it' }],
    },
  ];
}

/** The sign-in members of a form. Members that are left out are removed from an existing trust with `null`. */
export function loginIn(sent: FormInput) {
  const client_secret = sent.text('client_secret');
  const scopes = sent.text('scopes')?.split(/\s+/).filter(Boolean);
  const label = sent.text('label');
  return {
    provider: (sent.text('provider') ?? 'oidc') as Login['provider'],
    client_id: sent.text('client_id') ?? '',
    email_domains: sent.lines('email_domains').map((domain) => domain.toLowerCase()),
    creation: (sent.text('creation') ?? 'off') as Login['creation'],
    role_mappings: mappingsIn(sent.lines('role_mappings'), 'role_mappings'),
    ...days(sent.number('mapped_role_days')),
    for_administrators: sent.lines('administrators').includes('allowed'),
    ...(client_secret !== undefined && { client_secret }),
    ...(scopes !== undefined && { scopes }),
    ...(label !== undefined && { label }),
  };
}

const days = (mapped_role_days: number | undefined) => (mapped_role_days === undefined ? {} : { mapped_role_days });

/** How users sign in by a trust, and its redirect URI. */
export function loginFacts(issuer: string, { id, login, conditions }: Trust, conditionLine: ConditionLine): Fact[] {
  if (!login) return [];
  return [
    { label: 'Provider', cell: cell.text(providers[login.provider]) },
    { label: 'Redirect URI', cell: cell.copied(`${issuer}/sign-in/callback/${id}`) },
    { label: 'Client ID', cell: cell.copied(login.client_id) },
    { label: 'Conditions', cell: cell.codes(conditions.map(conditionLine)) },
    { label: 'E-mail domains', cell: cell.codes(login.email_domains) },
    { label: 'Accounts for new users', cell: cell.text(policies[login.creation]) },
    { label: 'Roles by claims', cell: cell.codes(login.role_mappings.map(mappingLine)) },
    ...(login.role_mappings.length > 0
      ? [{ label: 'Roles by claims expire after', cell: cell.text(counted(login.mapped_role_days, 'day')) }]
      : []),
    { label: 'Administrators', cell: cell.yesNo(login.for_administrators) },
  ];
}

type ConditionLine = (condition: Trust['conditions'][number]) => string;
