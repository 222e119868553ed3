import { type Handle, mustBeAllowedToRevoke, revocationImpact } from '../../../domain/revocation/index.ts';
import * as cell from '../records/cells.ts';
import { counted } from '../words.ts';
import type { Action, ActionDescription } from './actions.ts';
import type { RouteName } from './admin-client.ts';
import { impactOf, withImpact } from './impact.ts';
import type { RequestContext } from './request-context.ts';

/** An owner of tokens, in the form its pages use. */
export type Owner = {
  framed: Pick<ActionDescription, 'crumb' | 'name' | 'back'>;
  enabled: boolean;
  version: number;
  handle: Handle;
};

/** The differences between the kinds of owners: their addresses, their routes and the words. */
export type OwnerKind = {
  /** Below `/console`, e.g. `/clients/:client_id`. */
  path: string;
  find: (context: RequestContext) => Promise<Owner>;
  /** The name of the parameter in its routes. */
  params: (context: RequestContext) => Record<string, string>;
  disable: { route: RouteName; words: string };
  enable: { route: RouteName; words: string };
  revoke: { heading: string; words: string };
};

/** Disabling an owner, enabling it, and revoking its credentials: the same for each kind. */
export const ownerActions = (kind: OwnerKind): Action[] => [disabling(kind), enabling(kind), revoking(kind)];

const disabling = ({ path, find, params, disable }: OwnerKind): Action => ({
  path: `${path}/disable`,
  route: disable.route,
  describe: async (context) => {
    const { framed, handle } = await find(context);
    const { api_keys, ...revoked } = await revocationImpact(context.deps, handle);
    const keys = `${counted(api_keys, 'API key')} ${api_keys === 1 ? 'is' : 'are'} refused until you enable it again.`;
    return {
      ...framed,
      heading: `Disable ${framed.name}?`,
      words: [disable.words, ...(api_keys > 0 ? [keys] : [])],
      impact: impactOf(revoked),
      fields: [],
      button: withImpact('Disable', revoked),
      danger: true,
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
      heading: `Enable ${framed.name}?`,
      words: [enable.words],
      impact: [],
      fields: [],
      button: 'Enable',
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
    const revoked = await revocationImpact(context.deps, handle);
    return {
      ...framed,
      heading: `${revoke.heading} ${framed.name}?`,
      words: [revoke.words],
      impact: impactOf(revoked),
      fields: [],
      button: withImpact('Revoke', revoked),
      danger: true,
    };
  },
  perform: async (context) => {
    const { handle } = await find(context);
    await context.api.call('POST /revocations', { body: { handle } });
    return { to: pageOfOwner(context), done: 'revoked' };
  },
});

/** The address of an action is that of its owner's page with one more part. */
const pageOfOwner = ({ ctx }: RequestContext) => ctx.path.slice(0, ctx.path.lastIndexOf('/'));
