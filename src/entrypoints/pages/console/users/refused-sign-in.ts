import { subjectNameOf } from '../../../../domain/access/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell, Fact, Panel } from '../../records/page-shapes.ts';
import { clientPath } from '../clients/client.ts';
import { pathOfSubject, type UserDetail } from './user.ts';

type Refused = NonNullable<UserDetail['sign_in_refused']>;

/** Why no one can sign in to an account that others prepared, and the remedy. Empty if sign-in is possible. */
export function refusedSignInPanel({ sign_in_refused: refused }: UserDetail): Panel[] {
  if (!refused) return [];
  return [
    {
      heading: 'Sign-in refused',
      intro:
        'Sign-in is refused with every method, because someone who lacks permissions of this user could sign in, too.',
      link: { text: 'Documentation', href: '/docs/sign-in#accounts-that-others-prepared' },
      content: { kind: 'facts', facts: factsOf(refused) },
    },
  ];
}

const factsOf = (refused: Refused): Fact[] => [
  { label: 'Since', cell: cell.time(refused.since) },
  ...refused.prepared_by.map(({ subject }) => ({ label: 'Prepared by', cell: subjectCell(subject) })),
  { label: 'What to do', cell: cell.text(remedyOf(refused)) },
];

function subjectCell(subject: Refused['prepared_by'][number]['subject']): Cell {
  if (!subject) return cell.text('A deleted user or client');
  const { kind, name } = subjectNameOf(subject);
  return cell.link(name, kind === 'user' ? pathOfSubject(name) : clientPath(name));
}

function remedyOf({ remove_methods_first, mailed_link }: Refused): string {
  if (remove_methods_first)
    return 'Reset the sign-in methods and unlink the accounts: they may belong to the other person. Then create a password reset link. You need all permissions of the user.';
  return mailed_link
    ? 'The user chooses a new password with “Forgot your password?”, or with a password reset link from a user who has all of their permissions.'
    : 'Someone with all permissions of this user creates a password reset link and gives it to the user.';
}
