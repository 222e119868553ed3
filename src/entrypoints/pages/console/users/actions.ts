import { whatWouldDie } from '../../../../domain/revocation/index.ts';
import { PasswordLinkView, PasswordResetView } from '../../../../domain/users/index.ts';
import * as cell from '../../records/cells.ts';
import type { Act } from '../actions.ts';
import { deathsOf, withDeaths } from '../impact.ts';
import { ownerActs } from '../owner-actions.ts';
import type { Place } from '../request-context.ts';
import { roleActsOf } from '../roles/assignments.ts';
import { crumb, getPerson, pathOfSubject, personName, personPath, section } from './detail.ts';
import { madeLink, madePassword } from './new-secrets.ts';
import { adding } from './new-user.ts';

async function frame(place: Place) {
  const person = await getPerson(place);
  const framed = { section, crumb, name: personName(person), back: personPath(person.username) };
  return { person, framed };
}

const changing: Act = {
  path: '/people/:subject/change',
  does: 'PATCH /users/{user}',
  ask: async (place) => {
    const { person, framed } = await frame(place);
    return {
      ...framed,
      heading: 'Change what is known of',
      words: [],
      deaths: [],
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
  perform: async ({ calls, params: { subject = '' } }, sent) => {
    const body = { name: sent.text('name') ?? null, email: sent.text('email') ?? null };
    await calls.act('PATCH /users/{user}', { params: { user: subject }, body, ifVersion: sent.version });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const verifyingEmail: Act = {
  path: '/people/:subject/verify-email',
  does: 'POST /users/{user}/verify-email',
  ask: async (place) => {
    const { person, framed } = await frame(place);
    return {
      ...framed,
      heading: 'Mark the e-mail address as verified for',
      words: [
        'Apps that trust verified addresses let in whoever has one. Confirm only an address that you know is theirs.',
      ],
      deaths: [],
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
  perform: async ({ calls, params: { subject = '' } }, sent) => {
    const body = { email: sent.text('email') ?? '' };
    await calls.act('POST /users/{user}/verify-email', { params: { user: subject }, body });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const unverifyingEmail: Act = {
  path: '/people/:subject/unverify-email',
  does: 'POST /users/{user}/unverify-email',
  ask: async (place) => {
    const { framed } = await frame(place);
    return {
      ...framed,
      heading: 'Mark the e-mail address as not verified for',
      words: ['Apps that accept verified addresses only refuse them from their next sign-in on.'],
      deaths: [],
      fields: [],
      button: 'Mark as not verified',
      danger: false,
    };
  },
  perform: async ({ calls, params: { subject = '' } }) => {
    await calls.act('POST /users/{user}/unverify-email', { params: { user: subject } });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const settingPassword: Act = {
  path: '/people/:subject/password',
  does: 'POST /users/{user}/password',
  ask: async (place) => {
    const { person, framed } = await frame(place);
    const { api_keys: _, ...dying } = await whatWouldDie(place.deps, { user: `id:${person.id}` });
    return {
      ...framed,
      heading: 'Set a new password for',
      words: [
        'One is made, which you see once, on the next page, to hand over to them. The one they have stops working.',
      ],
      deaths: deathsOf(dying),
      fields: [],
      button: withDeaths('Set a new password', dying),
      danger: true,
    };
  },
  perform: async (place) => {
    const person = await getPerson(place);
    const given = { params: { user: `id:${person.id}` } };
    const { password = '' } = await place.calls.read('POST /users/{user}/password', PasswordResetView, given);
    return madePassword(person, { heading: 'Here is the new password of', password });
  },
};

const linking: Act = {
  path: '/people/:subject/password-link',
  does: 'POST /users/{user}/password-link',
  ask: async (place) => {
    const { person, framed } = await frame(place);
    const goesTo =
      place.deps.config.mail && person.email
        ? `It is mailed to ${person.email}`
        : 'You see it on the next page, to hand over to them';
    return {
      ...framed,
      heading: 'Make a link with which a password is chosen by',
      words: [`It works once. ${goesTo}; the password they have works until then.`],
      deaths: [],
      fields: [],
      button: 'Make the link',
      danger: false,
    };
  },
  perform: async (place) => {
    const person = await getPerson(place);
    const given = { params: { user: `id:${person.id}` } };
    return madeLink(person, await place.calls.read('POST /users/{user}/password-link', PasswordLinkView, given));
  },
};

const stopping = ownerActs({
  path: '/people/:subject',
  find: async (place) => {
    const { person, framed } = await frame(place);
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

const signingOut: Act = {
  path: '/people/:subject/sessions/:session_id/revoke',
  does: 'POST /sessions/{session_id}/revoke',
  ask: async (place) => {
    const { framed } = await frame(place);
    return {
      ...framed,
      heading: 'Sign out one browser of',
      words: ['Apps that it let in are told, and what ends with its session stops working.'],
      deaths: [{ text: '1 sign-in', words: 'in this browser' }],
      fields: [],
      button: 'Sign out 1 browser',
      danger: true,
    };
  },
  perform: async ({ calls, params: { subject = '', session_id = '' } }) => {
    await calls.act('POST /sessions/{session_id}/revoke', { params: { session_id } });
    return { to: pathOfSubject(subject), done: 'signed-out' };
  },
};

/** What can be done with a person's account. */
export const peopleActs: Act[] = [
  adding,
  changing,
  verifyingEmail,
  unverifyingEmail,
  linking,
  signingOut,
  settingPassword,
  ...stopping,
  ...roleActsOf('user'),
];
