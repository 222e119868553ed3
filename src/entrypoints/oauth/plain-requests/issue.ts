import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import * as libraryGrants from 'oidc-provider/lib/actions/grants/index.js';
import * as helpers from 'oidc-provider/lib/helpers/grants.js';
import { nameIdentityScope } from '../presented-tokens/token-answers.ts';
import { commitTokens, headersOf } from '../token-endpoint/issue-tokens.ts';
import type { Unit } from '../unit-of-work/index.ts';
import type { Answer, AnswerDeps, AnswerPlainly } from './answer.ts';
import { inLibrary } from './in-library.ts';
import type { PlainClients } from './plain-client.ts';
import { plainParameters } from './plain-request.ts';

type Grant = (typeof libraryGrants)['refresh_token'];

/** The frequent grant types of the library. */
const grants = new Map<string | undefined, Grant>(
  Object.entries({
    authorization_code: libraryGrants.authorization_code,
    client_credentials: libraryGrants.client_credentials,
    refresh_token: libraryGrants.refresh_token,
  }),
);
const ofEveryGrant = ['grant_type', 'client_id', 'client_secret', 'resource'];
const known = new Set([...ofEveryGrant, ...[...grants.values()].flatMap(({ parameters }) => [...parameters])]);

/** Answers token requests (RFC 6749 §4): the library's handler of the grant type, and the commit. */
export function issue(deps: AnswerDeps, clients: PlainClients): AnswerPlainly {
  return async (asked, body) => {
    const parameters = plainParameters(body, known);
    const grant = grants.get(parameters?.grant_type);
    if (!parameters || !grant || !takes(grant, parameters)) return undefined;
    const provider = deps.provider.current();
    const { client_id, client_secret, ...rest } = parameters;
    return inLibrary(asked, { ...{ provider, route: 'token', parameters: rest }, deps }, async (ctx, unit) => {
      const who = await clients.authenticate(provider, asked, { client_id, client_secret });
      if (!who?.client.grantTypeAllowed(String(rest.grant_type))) return undefined;
      unit.clientSecret = who.secret;
      ctx.oidc.entity('Client', who.client);
      await nameIdentityScope(ctx, () => grant.handler(provider, helpersOf(provider), ctx));
      if (who.secret) deps.secretUses.record(who.secret.id, deps.now());
      return committed(deps, ctx, unit);
    });
  };
}

// RFC 6749 §3.3.
const plainScope = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

const takes = ({ parameters }: Grant, sent: Partial<Record<string, string>>) =>
  Object.keys(sent).every((name) => parameters.has(name) || ofEveryGrant.includes(name)) &&
  (sent.scope === undefined || plainScope.test(sent.scope));

async function committed(deps: AnswerDeps, ctx: KoaContextWithOIDC, unit: Unit): Promise<Answer | undefined> {
  if (unit.outage) throw unit.outage;
  if (!unit.writes.access_token) return undefined;
  const refusal = await commitTokens(deps, unit, String(ctx.oidc.client?.clientId));
  if (!refusal) return { status: 200, body: ctx.body as object };
  // Nothing was written for a client that has changed: the provider handles the request from the start.
  if (refusal.status === 401) return undefined;
  const { status, ...body } = refusal;
  return { status, body, headers: headersOf(refusal) };
}

type BoundHelpers = Record<string, unknown>;
const bound = new WeakMap<Provider, BoundHelpers>();

/** The helpers of grants as the library passes them to its handlers. */
function helpersOf(provider: Provider): BoundHelpers {
  const known = bound.get(provider);
  if (known) return known;
  const made = Object.fromEntries(
    Object.entries(helpers).map(([name, helper]) => [
      name,
      (helper as (...args: unknown[]) => unknown).bind(undefined, provider),
    ]),
  );
  bound.set(provider, made);
  return made;
}
