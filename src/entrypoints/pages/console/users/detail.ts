import { referenceToUsername } from '../../../../domain/access/index.ts';
import { permissionsToRevoke } from '../../../../domain/revocation/index.ts';
import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DetailPage, Fact } from '../../records/page-shapes.ts';
import { mayDo } from '../administrator.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { rolesTable } from '../roles/assignments.ts';
import { sessionsTable } from './sessions.ts';
import { getUser, nameOf, type User, userPath } from './user.ts';

/** One person: who they are, their roles, and what can be done with their account. */
export async function showUser(context: RequestContext): Promise<void> {
  const person = await getUser(context);
  const page: DetailPage = {
    crumb: context.crumb,
    heading: 'Who is',
    name: nameOf(person),
    notice: noticeIn(context.ctx),
    facts: factsOf(context, person),
    tables: [
      ...(await rolesTable(context, { kind: 'user', subject: referenceToUsername(person.username) })),
      ...(await sessionsTable(context, { user_id: person.id, path: userPath(person.username) })),
    ],
    actions: actionsOf(context, person),
  };
  showInConsole(context, 'console-detail', page);
}

const elsewhere = [
  {
    label: 'Allowed apps',
    text: 'Consents',
    path: '/console/consents',
    by: 'user',
    permission: 'latchkey:consent:read',
  },
  { label: 'Apps hold', text: 'Grants', path: '/console/grants', by: 'user', permission: 'latchkey:grant:read' },
  {
    label: 'Their keys',
    text: 'API keys',
    path: '/console/api-keys',
    by: 'user',
    permission: 'latchkey:api_key:read',
  },
  {
    label: 'What they did',
    text: 'Events',
    path: '/console/audit-log',
    by: 'actor',
    permission: 'latchkey:audit:read',
  },
];

function factsOf({ who }: RequestContext, person: User): Fact[] {
  const { username, has_password, tokens_valid_after } = person;
  return [
    { label: 'Username', cell: cell.copied(username) },
    { label: 'E-mail', cell: cell.text(person.email ?? 'none') },
    ...verificationFacts(person),
    { label: 'Id', cell: cell.copied(person.id) },
    { label: 'State', cell: cell.enabled(person.enabled) },
    { label: 'Password', cell: cell.text(has_password ? 'set' : 'none: they cannot sign in with one') },
    ...(tokens_valid_after ? [{ label: 'Signed out', cell: cell.time(tokens_valid_after) }] : []),
    { label: 'Since', cell: cell.time(person.created_at) },
    { label: 'Changed', cell: cell.time(person.updated_at) },
    ...elsewhere
      .filter(({ permission }) => mayDo(who, permission))
      .map(({ label, text, path, by }) => ({
        label,
        cell: cell.link(text, addressOf(path, { [by]: referenceToUsername(username) })),
      })),
  ];
}

const sources = {
  link: 'Verified: a link mailed to it was used',
  administrator: 'Verified by an administrator',
  import: 'Verified before it was imported',
};

function verificationFacts({ email, email_verified_by, email_verified_at }: User): Fact[] {
  if (email === null) return [];
  const state = email_verified_by === null ? 'Not verified' : sources[email_verified_by];
  return [
    { label: 'E-mail address', cell: cell.text(state) },
    ...(email_verified_at ? [{ label: 'Verified', cell: cell.time(email_verified_at) }] : []),
  ];
}

function verificationAction({ username, email, email_verified }: User) {
  if (email === null) return [];
  const [route, verb, label, words] = email_verified
    ? ([
        'POST /users/{user}/unverify-email',
        'unverify-email',
        'Mark e-mail as not verified',
        'Apps are told that the address is not verified',
      ] as const)
    : ([
        'POST /users/{user}/verify-email',
        'verify-email',
        'Mark e-mail as verified',
        'Apps are told that the address is theirs',
      ] as const);
  return [{ route, label, href: `${userPath(username)}/${verb}`, danger: false, words }];
}

function actionsOf(context: RequestContext, person: User) {
  const { username, enabled } = person;
  const path = userPath(username);
  return allowedActions(context, [
    {
      route: 'PATCH /users/{user}',
      label: 'Change name and e-mail',
      href: `${path}/change`,
      danger: false,
      words: 'What apps are told about them',
    },
    ...verificationAction(person),
    {
      route: 'POST /users/{user}/password-link',
      label: 'Make a link to choose a password',
      href: `${path}/password-link`,
      danger: false,
      words: 'Works once; you hand it over',
    },
    {
      route: 'POST /users/{user}/password',
      label: 'Set a new password',
      href: `${path}/password`,
      danger: true,
      words: 'Made for them, shown once; signs them out everywhere',
    },
    {
      route: 'POST /revocations',
      needs: permissionsToRevoke.user,
      label: 'Revoke everything of theirs',
      href: `${path}/revoke`,
      danger: true,
      words: 'Signed out everywhere, every app too; they can sign in again',
    },
    enabled
      ? {
          route: 'POST /users/{user}/disable',
          label: 'Disable',
          href: `${path}/disable`,
          danger: true,
          words: 'Signed out everywhere, and they cannot sign in',
        }
      : {
          route: 'PATCH /users/{user}',
          label: 'Enable',
          href: `${path}/enable`,
          danger: false,
          words: 'They can sign in again',
        },
  ]);
}
