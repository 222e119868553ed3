import type { z } from 'zod';
import { referenceToUsername } from '../../../../domain/access/index.ts';
import { permissionsToEnd } from '../../../../domain/revocation/index.ts';
import { UserView } from '../../../../domain/users/index.ts';
import { pageOf } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DetailPage, Fact } from '../../records/page-shapes.ts';
import { mayDo } from '../administrator.ts';
import type { List } from '../lists.ts';
import type { Placed } from '../page-data.ts';
import { allowedActs, type Place, showInConsole } from '../request-context.ts';
import { rolesTable } from '../roles/assignments.ts';
import { sessionsTable } from './sessions.ts';

export type Person = z.output<typeof UserView>;

export const section = 'people' as const;
export const crumb = { text: 'People', href: '/console/people' };
/** The page of the user whom an address of the console named so. */
export const pathOfSubject = (subject: string) => `/console/people/${encodeURIComponent(subject)}`;
export const personPath = (username: string) => pathOfSubject(referenceToUsername(username));
export const personName = ({ name, username }: Person) => name ?? username;

export const peopleList: List = {
  section,
  heading: 'Who can sign in?',
  intro: 'The people of this server, and what they may manage.',
  columns: ['Name', 'E-mail', 'Roles', 'State', 'Since'],
  search: 'Name, username or e-mail',
  filters: [
    { name: 'role', label: 'Role', options: [] },
    {
      name: 'enabled',
      label: 'State',
      options: [
        { value: '', text: 'in every state' },
        { value: 'true', text: 'enabled' },
        { value: 'false', text: 'disabled' },
      ],
    },
  ],
  sorts: [
    { value: 'username', text: 'username' },
    { value: '-created_at', text: 'newest' },
  ],
  empty: 'There is nobody of this kind.',
  acts: [
    {
      does: 'POST /users',
      label: 'Add a person',
      href: '/console/new-person',
      danger: false,
      words: 'Who can then sign in',
    },
  ],
  read: async ({ calls }, query) => {
    const { items, next } = await calls.read('GET /users', pageOf(UserView), { query });
    const rows = items.map((person) => [
      cell.link(personName(person), personPath(person.username), person.username),
      cell.text(person.email ?? ''),
      cell.text(person.roles.join(', ')),
      cell.enabled(person.enabled),
      cell.time(person.created_at),
    ]);
    return { rows, next };
  },
};

export function getPerson({ calls, params: { subject = '' } }: Place): Promise<Person> {
  return calls.read('GET /users/{user}', UserView, { params: { user: subject } });
}

/** One person: who they are, their roles, and what can be done with their account. */
export async function showPerson(place: Place): Promise<void> {
  const person = await getPerson(place);
  const page: DetailPage & Placed = {
    section,
    crumb,
    heading: 'Who is',
    name: personName(person),
    notice: noticeIn(place.ctx),
    facts: factsOf(place, person),
    tables: [
      ...(await rolesTable(place, { kind: 'user', subject: referenceToUsername(person.username) })),
      ...(await sessionsTable(place, { user_id: person.id, path: personPath(person.username) })),
    ],
    acts: actsOf(place, person),
  };
  showInConsole(place, 'console-detail', page);
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

function factsOf({ who }: Place, person: Person): Fact[] {
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

function verificationFacts({ email, email_verified_by, email_verified_at }: Person): Fact[] {
  if (email === null) return [];
  const state = email_verified_by === null ? 'Not verified' : sources[email_verified_by];
  return [
    { label: 'E-mail address', cell: cell.text(state) },
    ...(email_verified_at ? [{ label: 'Verified', cell: cell.time(email_verified_at) }] : []),
  ];
}

function verificationAct({ username, email, email_verified }: Person) {
  if (email === null) return [];
  const [does, verb, label, words] = email_verified
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
  return [{ does, label, href: `${personPath(username)}/${verb}`, danger: false, words }];
}

function actsOf(place: Place, person: Person) {
  const { username, enabled } = person;
  const path = personPath(username);
  return allowedActs(place, [
    {
      does: 'PATCH /users/{user}',
      label: 'Change name and e-mail',
      href: `${path}/change`,
      danger: false,
      words: 'What apps are told about them',
    },
    ...verificationAct(person),
    {
      does: 'POST /users/{user}/password-link',
      label: 'Make a link to choose a password',
      href: `${path}/password-link`,
      danger: false,
      words: 'Works once; you hand it over',
    },
    {
      does: 'POST /users/{user}/password',
      label: 'Set a new password',
      href: `${path}/password`,
      danger: true,
      words: 'Made for them, shown once; signs them out everywhere',
    },
    {
      does: 'POST /revocations',
      needs: permissionsToEnd.user,
      label: 'Revoke everything of theirs',
      href: `${path}/revoke`,
      danger: true,
      words: 'Signed out everywhere, every app too; they can sign in again',
    },
    enabled
      ? {
          does: 'POST /users/{user}/disable',
          label: 'Disable',
          href: `${path}/disable`,
          danger: true,
          words: 'Signed out everywhere, and they cannot sign in',
        }
      : {
          does: 'PATCH /users/{user}',
          label: 'Enable',
          href: `${path}/enable`,
          danger: false,
          words: 'They can sign in again',
        },
  ]);
}
