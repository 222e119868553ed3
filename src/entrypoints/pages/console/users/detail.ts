import { referenceToUsername } from '../../../../domain/access/index.ts';
import { permissionsToRevoke, revocationImpact } from '../../../../domain/revocation/index.ts';
import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import type { ActionLink, DangerousAction, Fact, Panel } from '../../records/page-shapes.ts';
import { tabsIn } from '../../records/tabs.ts';
import { keysPanel } from '../api-keys/keys-panel.ts';
import { consentsPanel } from '../consents/consents-panel.ts';
import { grantsPanel } from '../grants/grants-panel.ts';
import { withImpact } from '../impact.ts';
import { recentEvents } from '../recent-events.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { rolesPanel } from '../roles/assignments.ts';
import { factorsPanel } from './factors.ts';
import { identitiesPanel } from './identities.ts';
import { refusedSignInPanel } from './refused-sign-in.ts';
import { sessionsPanel } from './sessions.ts';
import { getUser, nameOf, type User, type UserDetail, userPath } from './user.ts';

const tabLabels = {
  overview: 'Overview',
  access: 'Apps and keys',
  activity: 'Activity',
  settings: 'Settings',
};

type TabKey = keyof typeof tabLabels;

/** One user: their account, their roles and sessions, the apps and keys that act for them, and their activity. */
export async function showUser(context: RequestContext): Promise<void> {
  const user = await getUser(context);
  const { current, tabs } = tabsIn(context.ctx, userPath(user.username), tabLabels);
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: nameOf(user),
    badges: [cell.enabled(user.enabled), ...(user.sign_in_refused ? [cell.bad('Sign-in refused')] : [])],
    line: [cell.text(user.email ?? user.username), cell.timeAfter('created', user.created_at)],
    notice: noticeIn(context.ctx),
    actions: actionsOf(context, user),
    tabs,
    panels: await panelsOf[current](context, user),
    aside:
      current === 'overview' ? [{ heading: 'Account', content: { kind: 'facts', facts: accountFacts(user) } }] : [],
    danger: await dangerOf(context, user, current === 'settings'),
  });
}

const panelsOf: Readonly<Record<TabKey, (context: RequestContext, user: UserDetail) => Promise<Panel[]>>> = {
  overview: async (context, user) => [
    ...refusedSignInPanel(user),
    ...(await rolesPanel(context, { kind: 'user', subject: referenceToUsername(user.username) })),
    ...(await sessionsPanel(context, { user_id: user.id, path: userPath(user.username) })),
    ...(await recentEvents(context, partyOf(user), 5)),
  ],
  access: async (context, user) => {
    const whose = { user: referenceToUsername(user.username) };
    return [
      ...(await consentsPanel(context, whose)),
      ...(await grantsPanel(context, whose, addressOf('/console/grants', whose))),
      ...(await keysPanel(context, whose)),
    ];
  },
  activity: (context, user) => recentEvents(context, partyOf(user), 25),
  settings: async (context, user) => [
    { heading: 'Account', content: { kind: 'facts', facts: accountFacts(user) } },
    ...(await factorsPanel(context, user)),
    ...(await identitiesPanel(context, user)),
  ],
};

const partyOf = ({ id, username }: User) => ({ kind: 'user', id, reference: referenceToUsername(username) }) as const;

const sources = {
  link: 'Verified by a link',
  administrator: 'Verified by an administrator',
  import: 'Verified before the import',
  provider: 'Verified by an identity provider',
};

function accountFacts(user: User): Fact[] {
  const { email, language, email_verified_by, has_password, tokens_valid_after } = user;
  const verification = email_verified_by === null ? 'Not verified' : sources[email_verified_by];
  return [
    { label: 'Username', cell: cell.copied(user.username) },
    { label: 'E-mail', cell: cell.text(email ?? 'None') },
    { label: 'Language of e-mail', cell: cell.text(language ?? 'Automatic') },
    ...(email === null ? [] : [{ label: 'Verification', cell: cell.text(verification) }]),
    { label: 'Password', cell: cell.text(has_password ? 'Set' : 'Not set') },
    ...(tokens_valid_after ? [{ label: 'Signed out', cell: cell.time(tokens_valid_after) }] : []),
    { label: 'Updated', cell: cell.time(user.updated_at) },
    { label: 'ID', cell: cell.copied(user.id) },
  ];
}

function verificationAction({ username, email, email_verified }: User) {
  if (email === null) return [];
  const [route, verb, label, words] = email_verified
    ? ([
        'POST /users/{user}/unverify-email',
        'unverify-email',
        'Mark e-mail as not verified',
        'Apps see that the address is not verified',
      ] as const)
    : ([
        'POST /users/{user}/verify-email',
        'verify-email',
        'Mark e-mail as verified',
        'Apps see that the address is verified',
      ] as const);
  return [{ route, label, href: `${userPath(username)}/${verb}`, danger: false, words }];
}

function actionsOf(context: RequestContext, user: User): ActionLink[] {
  const path = userPath(user.username);
  return allowedActions(context, [
    {
      route: 'PATCH /users/{user}',
      label: 'Edit',
      href: `${path}/change`,
      danger: false,
    },
    {
      route: 'POST /users/{user}/password-link',
      label: 'Send password reset link',
      href: `${path}/password-link`,
      danger: false,
    },
    {
      route: 'POST /users/{user}/enrolment-link',
      label: 'Create second-factor link',
      href: `${path}/enrolment-link`,
      danger: false,
    },
    ...verificationAction(user),
    ...(user.enabled
      ? []
      : [
          {
            route: 'PATCH /users/{user}' as const,
            label: 'Enable',
            href: `${path}/enable`,
            danger: false,
          },
        ]),
  ]);
}

/** The number of revoked credentials is counted only if the page shows it. */
async function dangerOf(context: RequestContext, user: User, isCounted: boolean): Promise<DangerousAction[]> {
  const path = userPath(user.username);
  const [password] = allowedActions(context, [
    {
      route: 'POST /users/{user}/password',
      label: 'Set temporary password',
      href: `${path}/password`,
      danger: true,
      words: 'Replaces their password with a generated one, which is shown to you once, and signs them out everywhere.',
    },
  ]);
  const [factors] = allowedActions(context, [
    {
      route: 'POST /users/{user}/reset-factors',
      label: 'Reset sign-in methods',
      href: `${path}/reset-factors`,
      danger: true,
      words: 'Removes their passkeys, authenticator app and recovery codes, and signs them out everywhere.',
    },
  ]);
  const [revoke] = allowedActions(context, [
    {
      route: 'POST /revocations',
      needs: permissionsToRevoke.user,
      label: 'Revoke all credentials',
      href: `${path}/revoke`,
      danger: true,
      words: 'Signs them and their apps out everywhere and revokes their API keys for good. They can sign in again.',
    },
  ]);
  const [disable] = allowedActions(context, [
    {
      route: 'POST /users/{user}/disable',
      label: 'Disable user',
      href: `${path}/disable`,
      danger: true,
      words: 'Signs them and their apps out everywhere, and refuses sign-ins and their API keys until you enable them.',
    },
  ]);
  const revokeButton =
    revoke && isCounted
      ? withImpact('Revoke', await revocationImpact(context.deps, { user: `id:${user.id}` }))
      : 'Revoke all';
  return [
    ...(password ? [{ ...password, button: 'Set password' }] : []),
    ...(factors ? [{ ...factors, button: 'Reset' }] : []),
    ...(revoke ? [{ ...revoke, button: revokeButton }] : []),
    ...(disable && user.enabled ? [{ ...disable, button: 'Disable' }] : []),
  ];
}
