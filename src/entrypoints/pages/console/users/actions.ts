import { revocationImpact } from '../../../../domain/revocation/index.ts';
import * as cell from '../../records/cells.ts';
import type { Action } from '../actions.ts';
import { impactOf, withImpact } from '../impact.ts';
import { ownerActions } from '../owner-actions.ts';
import type { RequestContext } from '../request-context.ts';
import { roleActionsOf } from '../roles/assignments.ts';
import { madeLink, madePassword } from './new-secrets.ts';
import { adding } from './new-user.ts';
import { getUser, nameOf, pathOfSubject, userPath } from './user.ts';

async function frame(context: RequestContext) {
  const person = await getUser(context);
  const framed = { crumb: context.crumb, name: nameOf(person), back: userPath(person.username) };
  return { person, framed };
}

const changing: Action = {
  path: '/users/:subject/change',
  route: 'PATCH /users/{user}',
  describe: async (context) => {
    const { person, framed } = await frame(context);
    return {
      ...framed,
      heading: 'Change what is known of',
      words: [],
      impact: [],
      fields: [
        { name: 'name', label: 'Name', type: 'text', value: person.name ?? '' },
        { name: 'email', label: 'E-mail', type: 'text', value: person.email ?? '', hint: 'They can sign in with it.' },
      ],
      button: 'Save',
      danger: false,
      version: person.version,
      present: [
        { label: 'Name', cell: cell.text(person.name ?? 'none') },
        { label: 'E-mail', cell: cell.text(person.email ?? 'none') },
      ],
    };
  },
  perform: async ({ api, params: { subject = '' } }, sent) => {
    const body = { name: sent.text('name') ?? null, email: sent.text('email') ?? null };
    await api.call('PATCH /users/{user}', { params: { user: subject }, body, ifVersion: sent.version });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const verifyingEmail: Action = {
  path: '/users/:subject/verify-email',
  route: 'POST /users/{user}/verify-email',
  describe: async (context) => {
    const { person, framed } = await frame(context);
    return {
      ...framed,
      heading: 'Mark the e-mail address as verified for',
      words: [
        'Apps that trust verified addresses let in whoever has one. Confirm only an address that you know is theirs.',
      ],
      impact: [],
      fields: [
        {
          name: 'email',
          label: 'E-mail address that you verified',
          type: 'text',
          value: person.email ?? '',
          is_required: true,
        },
      ],
      button: 'Mark as verified',
      danger: false,
    };
  },
  perform: async ({ api, params: { subject = '' } }, sent) => {
    const body = { email: sent.text('email') ?? '' };
    await api.call('POST /users/{user}/verify-email', { params: { user: subject }, body });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const unverifyingEmail: Action = {
  path: '/users/:subject/unverify-email',
  route: 'POST /users/{user}/unverify-email',
  describe: async (context) => {
    const { framed } = await frame(context);
    return {
      ...framed,
      heading: 'Mark the e-mail address as not verified for',
      words: ['Apps that accept verified addresses only refuse them from their next sign-in on.'],
      impact: [],
      fields: [],
      button: 'Mark as not verified',
      danger: false,
    };
  },
  perform: async ({ api, params: { subject = '' } }) => {
    await api.call('POST /users/{user}/unverify-email', { params: { user: subject } });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const settingPassword: Action = {
  path: '/users/:subject/password',
  route: 'POST /users/{user}/password',
  describe: async (context) => {
    const { person, framed } = await frame(context);
    const { api_keys: _, ...ended } = await revocationImpact(context.deps, { user: `id:${person.id}` });
    return {
      ...framed,
      heading: 'Set a new password for',
      words: [
        'One is made, which you see once, on the next page, to hand over to them. The one they have stops working.',
      ],
      impact: impactOf(ended),
      fields: [],
      button: withImpact('Set a new password', ended),
      danger: true,
    };
  },
  perform: async (context) => {
    const person = await getUser(context);
    const given = { params: { user: `id:${person.id}` } };
    const { password = '' } = await context.api.call('POST /users/{user}/password', given);
    return madePassword(person, { heading: 'Here is the new password of', password });
  },
};

const linking: Action = {
  path: '/users/:subject/password-link',
  route: 'POST /users/{user}/password-link',
  describe: async (context) => {
    const { person, framed } = await frame(context);
    const goesTo =
      context.deps.config.mail && person.email
        ? `It is mailed to ${person.email}`
        : 'You see it on the next page, to hand over to them';
    return {
      ...framed,
      heading: 'Make a link with which a password is chosen by',
      words: [`It works once. ${goesTo}; the password they have works until then.`],
      impact: [],
      fields: [],
      button: 'Make the link',
      danger: false,
    };
  },
  perform: async (context) => {
    const person = await getUser(context);
    const given = { params: { user: `id:${person.id}` } };
    return madeLink(person, await context.api.call('POST /users/{user}/password-link', given));
  },
};

const stopping = ownerActions({
  path: '/users/:subject',
  find: async (context) => {
    const { person, framed } = await frame(context);
    const { id, enabled, version } = person;
    return { framed, enabled, version, handle: { user: `id:${id}` } };
  },
  params: ({ params: { subject = '' } }) => ({ user: subject }),
  disable: {
    route: 'POST /users/{user}/disable',
    words: 'They are signed out everywhere and cannot sign in. Enabling them later does not bring back what ends now.',
  },
  enable: {
    route: 'PATCH /users/{user}',
    words: 'They can sign in again, with the password they had. Tokens from before stay dead.',
  },
  revoke: {
    heading: 'Revoke everything of',
    words: 'They are signed out everywhere, and so is every app that acts for them. They can sign in again.',
  },
});

const signingOut: Action = {
  path: '/users/:subject/sessions/:session_id/revoke',
  route: 'POST /sessions/{session_id}/revoke',
  describe: async (context) => {
    const { framed } = await frame(context);
    return {
      ...framed,
      heading: 'Sign out one browser of',
      words: ['Apps that it let in are told, and what ends with its session stops working.'],
      impact: [{ text: '1 sign-in', words: 'in this browser' }],
      fields: [],
      button: 'Sign out 1 browser',
      danger: true,
    };
  },
  perform: async ({ api, params: { subject = '', session_id = '' } }) => {
    await api.call('POST /sessions/{session_id}/revoke', { params: { session_id } });
    return { to: pathOfSubject(subject), done: 'signed-out' };
  },
};

/** What can be done with a person's account. */
export const userActions: Action[] = [
  adding,
  changing,
  verifyingEmail,
  unverifyingEmail,
  linking,
  signingOut,
  settingPassword,
  ...stopping,
  ...roleActionsOf('user'),
];
