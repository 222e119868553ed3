import { whatWouldDie } from '../../revocation/index.ts';
import type { Act } from './acts.ts';
import * as cell from './cells.ts';
import { frame } from './client-frame.ts';
import { secretActs } from './client-secrets.ts';
import { clientPath } from './clients.ts';
import { deathsOf, withDeaths } from './deaths.ts';
import { roleActsOf } from './subject-roles.ts';

const disabling: Act = {
  path: '/clients/:client_id/disable',
  does: 'POST /clients/{client_id}/disable',
  isGrave: true,
  ask: async (place) => {
    const { client, ...framed } = await frame(place);
    const dying = await whatWouldDie(place.deps, { client_id: client.client_id });
    return {
      ...framed,
      heading: 'Disable',
      words: [
        'It can no longer sign in or get tokens, for anybody. Enabling it later does not bring back what ends now.',
      ],
      deaths: deathsOf(dying),
      fields: [],
      button: withDeaths(`Disable ${framed.name}`, dying),
      danger: true,
    };
  },
  perform: async ({ calls, params: { client_id = '' } }) => {
    await calls.act('POST /clients/{client_id}/disable', { params: { client_id } });
    return { to: clientPath(client_id), done: 'disabled' };
  },
};

const enabling: Act = {
  path: '/clients/:client_id/enable',
  does: 'PATCH /clients/{client_id}',
  isGrave: false,
  ask: async (place) => {
    const { client, ...framed } = await frame(place);
    return {
      ...framed,
      heading: 'Enable',
      words: ['It can sign in and get tokens again. Tokens from before it was disabled stay dead.'],
      deaths: [],
      fields: [],
      button: `Enable ${framed.name}`,
      danger: false,
      version: client.version,
      present: [{ label: 'State', cell: cell.enabled(client.enabled) }],
    };
  },
  perform: async ({ calls, params: { client_id = '' } }, { version: ifVersion }) => {
    await calls.act('PATCH /clients/{client_id}', { params: { client_id }, body: { enabled: true }, ifVersion });
    return { to: clientPath(client_id), done: 'enabled' };
  },
};

const revoking: Act = {
  path: '/clients/:client_id/revoke',
  does: 'POST /revocations',
  isGrave: true,
  ask: async (place) => {
    const { client, ...framed } = await frame(place);
    const dying = await whatWouldDie(place.deps, { client_id: client.client_id });
    return {
      ...framed,
      heading: 'Revoke everything held by',
      words: ['It stays enabled and keeps its secrets: it can get tokens again, and people can let it in again.'],
      deaths: deathsOf(dying),
      fields: [],
      button: withDeaths('Revoke', dying),
      danger: true,
    };
  },
  perform: async ({ calls, params: { client_id = '' } }) => {
    await calls.act('POST /revocations', { body: { handle: { client_id } } });
    return { to: clientPath(client_id), done: 'revoked' };
  },
};

/** What can be done with a client. */
export const clientActs: Act[] = [...secretActs, disabling, enabling, revoking, ...roleActsOf('client')];
