import { type Handle, mustBeAllowedToRevoke, revocationImpact } from '../../../domain/revocation/index.ts';
import * as cell from '../records/cells.ts';
import type { Action, ActionDescription } from './actions.ts';
import type { RouteName } from './admin-client.ts';
import { impactOf, withImpact } from './impact.ts';
import type { RequestContext } from './request-context.ts';

/** Somebody or something that tokens belong to, as its pages know it. */
export type Owner = {
  framed: Pick<ActionDescription, 'crumb' | 'name' | 'back'>;
  enabled: boolean;
  version: number;
  handle: Handle;
};

/** What tells the kinds of owners apart: their addresses, their routes and the words. */
export type OwnerKind = {
  /** Below `/console`, e.g. `/clients/:client_id`. */
  path: string;
  find: (context: RequestContext) => Promise<Owner>;
  /** What its routes call it. */
  params: (context: RequestContext) => Record<string, string>;
  disable: { route: RouteName; words: string };
  enable: { route: RouteName; words: string };
  revoke: { heading: string; words: string };
};

/** Stopping an owner, letting it go on, and ending what it holds: the same for each kind. */
export const ownerActions = (kind: OwnerKind): Action[] => [disabling(kind), enabling(kind), revoking(kind)];

const disabling = ({ path, find, params, disable }: OwnerKind): Action => ({
  path: `${path}/disable`,
  route: disable.route,
  describe: async (context) => {
    const { framed, handle } = await find(context);
    return {
      ...framed,
      heading: 'Disable',
      words: [disable.words],
      ...(await ending(context, handle, `Disable ${framed.name}`)),
    };
  },
  perform: async (context) => {
    await context.api.call(disable.route, { params: params(context) });
    return { to: pageOfOwner(context), done: 'disabled' };
  },
});

const enabling = ({ path, find, params, enable }: OwnerKind): Action => ({
  path: `${path}/enable`,
  route: enable.route,
  describe: async (context) => {
    const { framed, enabled, version } = await find(context);
    return {
      ...framed,
      heading: 'Enable',
      words: [enable.words],
      impact: [],
      fields: [],
      button: `Enable ${framed.name}`,
      danger: false,
      version,
      present: [{ label: 'State', cell: cell.enabled(enabled) }],
    };
  },
  perform: async (context, { version: ifVersion }) => {
    await context.api.call(enable.route, { params: params(context), body: { enabled: true }, ifVersion });
    return { to: pageOfOwner(context), done: 'enabled' };
  },
});

const revoking = ({ path, find, revoke }: OwnerKind): Action => ({
  path: `${path}/revoke`,
  route: 'POST /revocations',
  describe: async (context) => {
    const { framed, handle } = await find(context);
    await mustBeAllowedToRevoke(context.deps.db, context.who.actor, handle);
    return { ...framed, heading: revoke.heading, words: [revoke.words], ...(await ending(context, handle, 'Revoke')) };
  },
  perform: async (context) => {
    const { handle } = await find(context);
    await context.api.call('POST /revocations', { body: { handle } });
    return { to: pageOfOwner(context), done: 'revoked' };
  },
});

/** An act's address is that of its owner's page and one part more. */
const pageOfOwner = ({ ctx }: RequestContext) => ctx.path.slice(0, ctx.path.lastIndexOf('/'));

/** What dies, and the button that says so. */
async function ending({ deps }: RequestContext, handle: Handle, verb: string) {
  const ended = await revocationImpact(deps, handle);
  return { impact: impactOf(ended), fields: [], button: withImpact(verb, ended), danger: true };
}
