import type { AdminAnswer } from '../../admin/index.ts';
import * as cell from '../records/cells.ts';
import type { Cell, Field } from '../records/page-shapes.ts';
import type { FormInput } from './actions.ts';

type Policy = AdminAnswer<'GET /sign-in-policy'>;
export type Method = NonNullable<Policy['allowed_factors']>[number];

/** The methods that users sign in with, in words. */
export const methods = {
  password: 'Password',
  passkey: 'Passkey',
  totp: 'Authenticator app',
  recovery_code: 'Recovery code',
  provider: 'Identity provider',
  email_code: 'Code by e-mail (weak: only for accounts with little access)',
} as const satisfies Record<Method, string>;

/** The same as options of a field. */
export const methodOptions = Object.entries(methods).map(([value, text]) => ({ value, text }));

/** A list of methods in words; `others`: the words for an empty list. */
export function methodsCell(listed: readonly Method[] | null | undefined, others: string): Cell {
  return cell.text(listed ? listed.map((method) => methods[method]).join(', ') : others);
}

/** The words for a client or an API without a list. */
export const asPolicy = 'As in the sign-in policy';

/** The methods that a client or an API accepts of those that the policy allows. */
export const narrowingField = (listed: readonly Method[] | null | undefined, users: string): Field => ({
  name: 'allowed_factors',
  label: 'Sign-in methods',
  type: 'choices',
  value: (listed ?? []).join('\n'),
  options: methodOptions,
  hint: `Users of ${users} must have signed in with these. None selected: with any that the sign-in policy allows.`,
  group: 'Advanced',
});

/** The selected methods; undefined: none. */
export function narrowingIn(sent: FormInput): Method[] | undefined {
  const chosen = sent.lines('allowed_factors') as Method[];
  return chosen.length > 0 ? chosen : undefined;
}
