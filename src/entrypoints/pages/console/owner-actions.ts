import { type Handle, mustBeAllowedToEnd, whatWouldDie } from '../../../domain/revocation/index.ts';
import * as cell from '../records/cells.ts';
import type { Act, Asked } from './actions.ts';
import type { RouteName } from './admin-client.ts';
import { deathsOf, withDeaths } from './impact.ts';
import type { Place } from './request-context.ts';

/** Somebody or something that tokens belong to, as its pages know it. */
export type Owner = {
  framed: Pick<Asked, 'section' | 'crumb' | 'name' | 'back'>;
  enabled: boolean;
  version: number;
  handle: Handle;
};

/** What tells the kinds of owners apart: their addresses, their routes and the words. */
export type OwnerKind = {
  /** Below `/console`, e.g. `/clients/:client_id`. */
  path: string;
  find: (place: Place) => Promise<Owner>;
  /** What its routes call it. */
  params: (place: Place) => Record<string, string>;
  disable: { route: RouteName; words: string };
  enable: { route: RouteName; words: string };
  revoke: { heading: string; words: string };
};

/** Stopping an owner, letting it go on, and ending what it holds: the same for each kind. */
export const ownerActs = (kind: OwnerKind): Act[] => [disabling(kind), enabling(kind), revoking(kind)];

const disabling = ({ path, find, params, disable }: OwnerKind): Act => ({
  path: `${path}/disable`,
  does: disable.route,
  ask: async (place) => {
    const { framed, handle } = await find(place);
    return {
      ...framed,
      heading: 'Disable',
      words: [disable.words],
      ...(await ending(place, handle, `Disable ${framed.name}`)),
    };
  },
  perform: async (place) => {
    await place.calls.act(disable.route, { params: params(place) });
    return { to: pageOfOwner(place), done: 'disabled' };
  },
});

const enabling = ({ path, find, params, enable }: OwnerKind): Act => ({
  path: `${path}/enable`,
  does: enable.route,
  ask: async (place) => {
    const { framed, enabled, version } = await find(place);
    return {
      ...framed,
      heading: 'Enable',
      words: [enable.words],
      deaths: [],
      fields: [],
      button: `Enable ${framed.name}`,
      danger: false,
      version,
      present: [{ label: 'State', cell: cell.enabled(enabled) }],
    };
  },
  perform: async (place, { version: ifVersion }) => {
    await place.calls.act(enable.route, { params: params(place), body: { enabled: true }, ifVersion });
    return { to: pageOfOwner(place), done: 'enabled' };
  },
});

const revoking = ({ path, find, revoke }: OwnerKind): Act => ({
  path: `${path}/revoke`,
  does: 'POST /revocations',
  ask: async (place) => {
    const { framed, handle } = await find(place);
    await mustBeAllowedToEnd(place.deps.db, place.who.actor, handle);
    return { ...framed, heading: revoke.heading, words: [revoke.words], ...(await ending(place, handle, 'Revoke')) };
  },
  perform: async (place) => {
    const { handle } = await find(place);
    await place.calls.act('POST /revocations', { body: { handle } });
    return { to: pageOfOwner(place), done: 'revoked' };
  },
});

/** An act's address is that of its owner's page and one part more. */
const pageOfOwner = ({ ctx }: Place) => ctx.path.slice(0, ctx.path.lastIndexOf('/'));

/** What dies, and the button that says so. */
async function ending({ deps }: Place, handle: Handle, verb: string) {
  const dying = await whatWouldDie(deps, handle);
  return { deaths: deathsOf(dying), fields: [], button: withDeaths(verb, dying), danger: true };
}
