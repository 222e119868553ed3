import compose from 'koa-compose';
import introspection from 'oidc-provider/lib/actions/introspection.js';
import { form } from '../../../platform/http/index.ts';
import { recordUses } from '../presented-tokens/recorded-uses.ts';
import { resolveStructuredTokens } from '../presented-tokens/structured-tokens.ts';
import { nameIntrospectedPerson } from '../provider/introspected-person.ts';
import type { AnswerDeps, AnswerPlainly } from './answer.ts';
import { inLibrary } from './in-library.ts';
import type { PlainClients } from './plain-client.ts';
import { plainParameters } from './plain-request.ts';

/** Opaque tokens of ours, or a JWT: anything else is refused by the library. */
const plainToken = /^[\w-]+(?:\.[\w-]+\.[\w-]+)?$/;
const known = new Set(['token', 'token_type_hint', 'client_id', 'client_secret']);
const lookUp = introspection.at(-1);

/** Answers introspection requests (RFC 7662): the library's lookup, with the same steps before and after as in the provider. */
export function introspect(deps: AnswerDeps, clients: PlainClients): AnswerPlainly {
  const steps = compose([
    resolveStructuredTokens(deps.issuer, deps.provider.keys),
    recordUses(deps.records),
    nameIntrospectedPerson(deps),
  ]);
  return async (asked, body) => {
    const parameters = plainParameters(body, known);
    if (!parameters?.token || !plainToken.test(parameters.token) || !lookUp) return undefined;
    const { client_id, client_secret, token, token_type_hint } = parameters;
    const provider = deps.provider.current();
    const sent = { token, token_type_hint };
    return inLibrary(asked, { ...{ provider, route: 'introspection', parameters: sent }, deps }, async (ctx, unit) => {
      const who = await clients.authenticate(provider, asked, { client_id, client_secret });
      if (!who) return undefined;
      ctx.oidc.entity('Client', who.client);
      asked.req.form = new URLSearchParams({ token });
      await steps(ctx, () => {
        sent.token = form(ctx).get('token') ?? token;
        return lookUp(ctx);
      });
      if (unit.outage) throw unit.outage;
      if (who.secret) deps.secretUses.record(who.secret.id, deps.now());
      return { status: 200, body: ctx.body as object };
    });
  };
}
