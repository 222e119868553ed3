import type { z } from 'zod';
import { ConsentView, GrantView, whatWouldEnd } from '../../../../domain/consents/index.ts';
import { whatWouldDie } from '../../../../domain/revocation/index.ts';
import { pageOf } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Act } from '../actions.ts';
import { clientPath } from '../clients/detail.ts';
import { deathsOf, withDeaths } from '../impact.ts';
import type { List } from '../lists.ts';
import { allowedActs, type Place, showInConsole } from '../request-context.ts';
import { personPath } from '../users/detail.ts';

type Consent = z.output<typeof ConsentView>;
type Grant = z.output<typeof GrantView>;

const whose = [
  { name: 'user', label: 'Username', options: [] },
  { name: 'client_id', label: 'client_id', options: [] },
];

const consentPath = (id: string) => `/console/consents/${id}`;
const grantPath = (id: string) => `/console/grants/${id}`;

const stateOf = (consent: Consent) => (consent.revoked_at ? cell.bad('taken back') : cell.good('stands'));

export const consentList: List = {
  section: 'consents',
  heading: 'What did people allow apps?',
  intro: 'What a person said yes to. The newest is first.',
  columns: ['App', 'Person', 'State', 'Allowed', 'Last used'],
  filters: [
    ...whose,
    {
      name: 'standing',
      label: 'State',
      options: [
        { value: '', text: 'in every state' },
        { value: 'true', text: 'stands' },
        { value: 'false', text: 'taken back' },
      ],
    },
  ],
  empty: 'Nobody has allowed an app anything yet. It appears here as soon as somebody does.',
  read: async ({ calls }, query) => {
    const { items, next } = await calls.read('GET /consents', pageOf(ConsentView), { query });
    const rows = items.map((consent) => [
      cell.link(consent.client_name, consentPath(consent.consent_id), consent.client_id),
      cell.link(consent.username, personPath(consent.username)),
      stateOf(consent),
      cell.time(consent.allowed_at),
      cell.time(consent.last_used_at),
    ]);
    return { rows, next };
  },
};

function getConsent({ calls, params: { consent_id = '' } }: Place): Promise<Consent> {
  return calls.read('GET /consents/{consent_id}', ConsentView, { params: { consent_id } });
}

/** What one person allowed one app. */
export async function showConsent(place: Place): Promise<void> {
  const consent = await getConsent(place);
  const { openid, resources } = consent.scopes;
  const scopes = Object.entries(resources).map(([api, names]) => ({ label: 'May do', cell: cell.codesAt(api, names) }));
  showInConsole(place, 'console-detail', {
    section: 'consents',
    crumb: { text: 'Consents', href: '/console/consents' },
    heading: `What did ${consent.username} allow`,
    name: consent.client_name,
    notice: noticeIn(place.ctx),
    facts: [
      { label: 'App', cell: cell.link(consent.client_name, clientPath(consent.client_id), consent.client_id) },
      { label: 'Person', cell: cell.link(consent.username, personPath(consent.username)) },
      { label: 'State', cell: stateOf(consent) },
      { label: 'About them', cell: cell.codes(openid, 'nothing') },
      ...scopes,
      { label: 'Allowed', cell: cell.time(consent.allowed_at) },
      { label: 'Last used', cell: cell.time(consent.last_used_at) },
      consent.revoked_at
        ? { label: 'Taken back', cell: cell.time(consent.revoked_at) }
        : { label: 'Lasts until', cell: cell.time(consent.expires_at, 'it is taken back') },
    ],
    tables: [],
    acts: consent.revoked_at
      ? []
      : allowedActs(place, [
          {
            does: 'POST /consents/{consent_id}/revoke',
            label: 'Take it back',
            href: `${consentPath(consent.consent_id)}/revoke`,
            danger: true,
            words: 'Everything under it ends; the person is asked again',
          },
        ]),
  });
}

const takingBack: Act = {
  path: '/consents/:consent_id/revoke',
  does: 'POST /consents/{consent_id}/revoke',
  ask: async (place) => {
    const consent = await getConsent(place);
    const dying = await whatWouldEnd(place.deps, consent.consent_id);
    return {
      section: 'consents',
      crumb: { text: 'Consents', href: '/console/consents' },
      heading: `Take back what ${consent.username} allowed`,
      name: consent.client_name,
      words: ['The app has to ask them again before it can get anything.'],
      deaths: deathsOf(dying),
      fields: [],
      button: withDeaths('Take it back', dying),
      danger: true,
      back: consentPath(consent.consent_id),
    };
  },
  perform: async ({ calls, params: { consent_id = '' } }) => {
    await calls.act('POST /consents/{consent_id}/revoke', { params: { consent_id } });
    return { to: consentPath(consent_id), done: 'revoked' };
  },
};

export const grantList: List = {
  section: 'grants',
  heading: 'What do apps hold now?',
  intro: 'What an app got for a person in one session, as long as it is good. The newest is first.',
  columns: ['App', 'Person', 'Lasts', 'Got'],
  filters: whose,
  empty: 'No app holds anything for anybody right now.',
  read: async ({ calls }, query) => {
    const { items, next } = await calls.read('GET /grants', pageOf(GrantView), { query });
    const rows = items.map((grant) => [
      cell.link(grant.client_id, grantPath(grant.id)),
      cell.link(grant.username, personPath(grant.username)),
      lastingOf(grant),
      cell.time(grant.created_at),
    ]);
    return { rows, next };
  },
};

const lastingOf = ({ offline }: Grant) => cell.text(offline ? 'beyond the session' : 'with the session');

function getGrant({ calls, params: { grant_id = '' } }: Place): Promise<Grant> {
  return calls.read('GET /grants/{grant_id}', GrantView, { params: { grant_id } });
}

/** What one app holds for one person in one session. */
export async function showGrant(place: Place): Promise<void> {
  const grant = await getGrant(place);
  showInConsole(place, 'console-detail', {
    section: 'grants',
    crumb: { text: 'Grants', href: '/console/grants' },
    heading: `What is held for ${grant.username} by`,
    name: grant.client_id,
    notice: undefined,
    facts: [
      { label: 'App', cell: cell.link(grant.client_id, clientPath(grant.client_id)) },
      { label: 'Person', cell: cell.link(grant.username, personPath(grant.username)) },
      { label: 'Lasts', cell: lastingOf(grant) },
      { label: 'Got', cell: cell.time(grant.created_at) },
      {
        label: 'Allowed by',
        cell: grant.consent_id
          ? cell.link('their consent', consentPath(grant.consent_id))
          : cell.text('nobody is asked'),
      },
      { label: 'Id', cell: cell.copied(grant.id) },
    ],
    tables: [],
    acts: allowedActs(place, [
      {
        does: 'POST /grants/{grant_id}/revoke',
        label: 'Revoke',
        href: `${grantPath(grant.id)}/revoke`,
        danger: true,
        words: 'Every token under it ends; the consent stays',
      },
    ]),
  });
}

const revoking: Act = {
  path: '/grants/:grant_id/revoke',
  does: 'POST /grants/{grant_id}/revoke',
  ask: async (place) => {
    const grant = await getGrant(place);
    const dying = await whatWouldDie(place.deps, { grant_id: grant.id });
    return {
      section: 'grants',
      crumb: { text: 'Grants', href: '/console/grants' },
      heading: `Revoke what is held for ${grant.username} by`,
      name: grant.client_id,
      words: ['What they allowed the app stays: it can get tokens again when they use it.'],
      deaths: deathsOf(dying),
      fields: [],
      button: withDeaths('Revoke', dying),
      danger: true,
      back: grantPath(grant.id),
    };
  },
  perform: async ({ calls, params: { grant_id = '' } }) => {
    await calls.act('POST /grants/{grant_id}/revoke', { params: { grant_id } });
    return { to: '/console/grants', done: 'revoked' };
  },
};

/** Taking back what people allowed, and what apps hold. */
export const consentActs: Act[] = [takingBack, revoking];
