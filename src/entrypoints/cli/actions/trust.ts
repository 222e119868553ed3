import { readFile } from 'node:fs/promises';
import type { TrustView } from '../../../domain/trusts/index.ts';
import { notFound } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed, jsonObject, readSecret } from './input.ts';
import { answer, answerPage, columns } from './output.ts';
import { scopesByResource } from './registration.ts';
import { routesOf } from './routes.ts';
import { type OptionNames, UsageError } from './usage.ts';

type Json = { json?: boolean };
type ListOptions = Json & { search?: string; limit: string; cursor?: string };
type CreateOptions = Json & {
  issuer: string;
  kind: string;
  claim: string[];
  prefix: string[];
  permission: string[];
  audience?: string;
  jwksUri?: string;
  jwks?: string;
  ttl?: string;
  oneTime?: boolean;
  role: string[];
  tokenReview?: string;
  tokenReviewCa?: string;
  provider: string;
  clientId?: string;
  label?: string;
  emailDomain: string[];
  creation: string;
  roleMapping: string[];
  mappedRoleDays: string;
  forAdministrators?: boolean;
};

/** The options of a trust's members. */
const createOptions: OptionNames = {
  name: '<name>',
  conditions: '--claim',
  permissions: '--permission',
  kind: '--kind',
  login: '--client-id',
  access_token_ttl_seconds: '--ttl',
  roles: '--role',
  token_review: '--token-review',
};

export const create = onInstallation(async (place: CommandContext, name: string, options: CreateOptions) => {
  const { issuer, kind, audience, jwksUri, jwks, ttl, oneTime } = options;
  const body = {
    ...{ name, kind: kind as 'workload', issuer, conditions: conditionsIn(options) },
    permissions: scopesByResource(options.permission),
    ...(audience !== undefined && { audience }),
    ...(jwksUri !== undefined && { jwks_uri: jwksUri }),
    ...(jwks !== undefined && { jwks: jsonObject(await readFile(jwks, 'utf8'), '--jwks') }),
    ...(ttl !== undefined && { access_token_ttl_seconds: Number(ttl) }),
    ...(oneTime && { one_time: true }),
    ...(options.role.length > 0 && { roles: options.role }),
    ...(options.tokenReview !== undefined && { token_review: await reviewIn(options.tokenReview, options) }),
    ...(kind === 'login' && { login: await loginIn(options) }),
  };
  const made = await routesOf(place).call('POST /trusts', { body: body as never });
  const accepted = `it accepts tokens of ${issuer} for ${audience ?? place.config.issuer}.`;
  const signsIn = `users can sign in. Register this redirect URI at the provider: ${place.config.issuer}/sign-in/callback/${made.id}`;
  answer(options, made, [`Created trust ${name}: ${kind === 'login' ? signsIn : accepted}`]);
}, createOptions);

/** How users sign in. The secret is read from standard input: an option would be visible to others on the machine. */
async function loginIn(options: CreateOptions) {
  const { provider, clientId, label, emailDomain, creation, roleMapping, forAdministrators } = options;
  if (clientId === undefined) throw new UsageError('A trust for the kind login needs --client-id.');
  const client_secret = await readSecret('Client secret (empty: none): ');
  return {
    ...{ provider, client_id: clientId, email_domains: emailDomain, creation },
    for_administrators: forAdministrators === true,
    role_mappings: roleMapping.map(mappingOption),
    mapped_role_days: Number(options.mappedRoleDays),
    ...(label !== undefined && { label }),
    ...(client_secret !== undefined && { client_secret }),
  };
}

/**
 * How a cluster reviews tokens. The token of the reviewer is read from standard input: an option would be visible to others on the machine.
 */
async function reviewIn(url: string, { tokenReviewCa }: CreateOptions) {
  const token = (await readSecret('Token of the reviewer (empty: each token is sent as its own proof): '))?.trim();
  const ca = tokenReviewCa === undefined ? undefined : await readFile(tokenReviewCa, 'utf8');
  return { url, ...(ca !== undefined && { ca }), ...(token && { token }) };
}

/** `sub=repo:acme/shop`: a value may contain `=`, a name cannot. Of several values of one claim, one must match. */
function conditionsIn({ claim, prefix }: CreateOptions) {
  const named = Map.groupBy(
    claim.map((text) => claimOption(text, '--claim')),
    ([name]) => name,
  );
  const exact = [...named].map(([name, pairs]) => {
    const values = pairs.map(([, value]) => value);
    return values.length === 1 ? { claim: name, equals: values[0] } : { claim: name, one_of: values };
  });
  const begun = prefix.map((text) => claimOption(text, '--prefix'));
  return [...exact, ...begun.map(([name, text]) => ({ claim: name, prefix: text }))];
}

/** `groups=admins=administrator`: a value may contain `=`, a name and a role cannot. */
function mappingOption(text: string) {
  const at = text.lastIndexOf('=');
  const [claim, equals] = claimOption(text.slice(0, Math.max(0, at)), '--role-mapping');
  return { claim, equals, role: text.slice(at + 1) };
}

function claimOption(text: string, option: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`${option} must be a claim and a value, such as "sub=repo:acme/shop".`);
  return [text.slice(0, at), text.slice(at + 1)];
}

export const list = onInstallation(async (place: CommandContext, options: ListOptions) => {
  const { search: q, limit, cursor } = options;
  const page = await routesOf(place).call('GET /trusts', { query: { q, limit, cursor } });
  answerPage(options, page, {
    row: ({ name, kind, issuer, enabled }) => [name, kind, enabled ? 'enabled' : 'disabled', issuer],
    none: 'No trusts. Create one: latchkey trust create --help',
  });
});

export const show = onInstallation(async (place: CommandContext, trust: string, options: Json) => {
  const found = await trustNamed(place, trust);
  const rows = Object.entries(JSON.parse(JSON.stringify(found))).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  answer(options, found, columns(rows));
});

export const explain = onInstallation(async (place: CommandContext, trust: string, options: Json) => {
  const { id } = await trustNamed(place, trust);
  const assertion = (await readSecret('Token: '))?.trim();
  if (!assertion) throw new UsageError('Give the token on standard input.');
  const params = { trust_id: id };
  const said = await routesOf(place).call('POST /trusts/{trust_id}/explanation', { params, body: { assertion } });
  const marks = { true: 'passed', false: 'FAILED', null: 'not checked' };
  answer(options, said, [
    said.accepted ? acceptedAs(said) : 'Refused.',
    ...columns(said.checks.map(({ check, passed, detail }) => [marks[`${passed}`], check, detail])),
  ]);
});

const acceptedAs = ({ client_id, user }: { client_id: string | null; user: string | null }) =>
  user === null ? `Accepted, as client ${client_id}.` : `Accepted: client ${client_id} for the user ${user}.`;

export const disable = onInstallation(
  async (place: CommandContext, trust: string, options: Json & { yes?: boolean }) => {
    const found = await trustNamed(place, trust);
    const question = `Disable ${found.name}? Its workloads are disabled, and every token issued under it is revoked.`;
    const isDone = await isConfirmed(question, { ...options, scripts: 'continue' });
    const params = { trust_id: found.id };
    const after = isDone ? await routesOf(place).call('POST /trusts/{trust_id}/disable', { params }) : found;
    answer(options, after, [isDone ? `Disabled trust ${found.name}.` : 'Nothing changed.']);
  },
);

export const enable = onInstallation(async (place: CommandContext, trust: string, options: Json) => {
  const { id, name } = await trustNamed(place, trust);
  const body = { enabled: true };
  const after = await routesOf(place).call('PATCH /trusts/{trust_id}', { params: { trust_id: id }, body });
  answer(options, after, [`Enabled trust ${name}.`]);
});

export const deleteWorkload = onInstallation(
  async (place: CommandContext, trust: string, client_id: string, options: Json) => {
    const { id } = await trustNamed(place, trust);
    await routesOf(place).call('DELETE /trusts/{trust_id}/workloads/{client_id}', {
      params: { trust_id: id, client_id },
    });
    answer(options, { client_id }, [`Deleted ${client_id}.`]);
  },
);

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws Problem `not_found` */
async function trustNamed(place: CommandContext, trust: string): Promise<TrustView> {
  const routes = routesOf(place);
  if (uuid.test(trust)) return routes.call('GET /trusts/{trust_id}', { params: { trust_id: trust } });
  const { items } = await routes.call('GET /trusts', { query: { q: trust, limit: '100' } });
  const found = items.find(({ name }) => name.toLowerCase() === trust.toLowerCase());
  if (!found) throw notFound('trust', trust);
  return found;
}
