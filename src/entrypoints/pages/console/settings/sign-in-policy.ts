import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import type { Field, Panel } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
import type { Action, FormInput } from '../actions.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { type Method, methodOptions, methods, methodsCell } from '../sign-in-methods.ts';

type Policy = AdminAnswer<'GET /sign-in-policy'>;

const settingsPath = '/console/settings';
const changePath = `${settingsPath}/sign-in-policy`;

const classes = {
  'urn:latchkey:acr:two-factor': 'Second factor or passkey',
  phr: 'Passkey',
} as const;
const any = 'Any method';

const everyMethod = Object.keys(methods) as Method[];
// The methods if the policy names none. Mailed codes are off unless it names them.
const usualMethods = everyMethod.filter((method) => method !== 'email_code');

const shownMethods = (allowed: Policy['allowed_factors']) => methodsCell(allowed, 'All but codes by e-mail');

const shown = (acr: Policy['required_acr']) => cell.text(acr === null ? any : classes[acr]);

const shownDays = (days: number) => cell.text(days === 0 ? 'Never' : `For ${counted(days, 'day')}`);

/** How users must sign in; none for users who may not see it. */
export async function policyPanel(context: RequestContext): Promise<Panel[]> {
  if (!context.api.may('GET /sign-in-policy')) return [];
  const policy = await context.api.call('GET /sign-in-policy');
  const { required_acr, administrator_required_acr, allowed_factors, remember_browser_days } = policy;
  const facts = [
    { label: 'Everyone', cell: shown(required_acr) },
    { label: 'Administrators', cell: shown(administrator_required_acr ?? required_acr) },
    { label: 'Sign-in methods', cell: shownMethods(allowed_factors) },
    { label: 'Browsers skip the second factor', cell: shownDays(remember_browser_days) },
  ];
  const actions = allowedActions(context, [
    { route: 'PATCH /sign-in-policy', label: 'Edit sign-in policy', href: changePath, danger: false },
  ]);
  return [{ heading: 'Sign-in policy', content: { kind: 'facts', facts }, actions }];
}

const field = (name: string, label: string, value: string | null, hint: string): Field => ({
  ...{ name, label, hint, type: 'radios', value: value ?? '' },
  options: [{ value: '', text: any }, ...Object.entries(classes).map(([acr, text]) => ({ value: acr, text }))],
});

export const changingPolicy: Action = {
  path: '/settings/sign-in-policy',
  route: 'PATCH /sign-in-policy',
  describe: async ({ api, crumb }) => {
    const { version, ...policy } = await api.call('GET /sign-in-policy');
    const { required_acr, administrator_required_acr, allowed_factors, remember_browser_days } = policy;
    return {
      crumb,
      name: 'Sign-in policy',
      back: settingsPath,
      heading: 'Edit sign-in policy',
      words: [
        'Users whose sign-in does not meet the policy sign in again. Users without a second factor get a link to add one: by e-mail, or one that you create on their page. You need a second factor yourself.',
      ],
      impact: [],
      fields: [
        field('required_acr', 'Everyone', required_acr, 'Required of every user.'),
        field(
          'administrator_required_acr',
          'Administrators',
          administrator_required_acr,
          'For users with a permission of this server, if it is stronger than for everyone.',
        ),
        {
          name: 'allowed_factors',
          label: 'Sign-in methods',
          type: 'choices',
          value: (allowed_factors ?? usualMethods).join('\n'),
          options: methodOptions,
          hint: 'The methods that users can sign in with. Users who have none of them cannot sign in. You and an owner must have one.',
        },
        {
          name: 'remember_browser_days',
          label: 'Browsers skip the second factor (days)',
          type: 'number',
          value: String(remember_browser_days),
          hint: 'Users can choose to skip it in a browser for this time, if no second factor is required of them. 0: never.',
        },
      ],
      button: 'Save policy',
      danger: false,
      version,
      present: [
        { label: 'Everyone', cell: shown(required_acr) },
        { label: 'Administrators', cell: shown(administrator_required_acr) },
        { label: 'Sign-in methods', cell: shownMethods(allowed_factors) },
        { label: 'Browsers skip the second factor', cell: shownDays(remember_browser_days) },
      ],
    };
  },
  perform: async ({ api }, sent) => {
    const named = (name: string) => (sent.text(name) ?? null) as Policy['required_acr'];
    const body = {
      required_acr: named('required_acr'),
      administrator_required_acr: named('administrator_required_acr'),
      allowed_factors: methodsIn(sent),
      remember_browser_days: sent.number('remember_browser_days') ?? 0,
    };
    await api.call('PATCH /sign-in-policy', { body, ifVersion: sent.version });
    return { to: settingsPath, done: 'saved' };
  },
};

/** Selecting all the usual ones is no restriction: a method of a later version is allowed, too. */
function methodsIn(sent: FormInput): Policy['allowed_factors'] {
  const chosen = sent.lines('allowed_factors') as Method[];
  const isUsual = !chosen.includes('email_code') && usualMethods.every((method) => chosen.includes(method));
  return isUsual ? null : chosen;
}
