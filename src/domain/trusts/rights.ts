import type { Trx } from '../../platform/database/index.ts';
import { type Actor, invalid } from '../../platform/http/index.ts';
import {
  addsRights,
  listRolesNamed,
  mustBePermitted,
  mustGive,
  mustHold,
  mustHoldAllOf,
  mustNotExceedLimits,
  type Right,
} from '../access/index.ts';
import { creationPolicies, mustBeAllowedToLetIn, mustDescribeLogin } from './login.ts';
import { mappedRoleDays, mustBeAllowedToMap, namedMappings } from './role-mappings.ts';
import type { TrustInput } from './schemas.ts';
import { claimsToName } from './shared-issuers.ts';
import { listRoledUsersAt, type Trust } from './store.ts';

type Change = { now: () => Date; actor: Actor; existing?: Trust | undefined; input: TrustInput };

/**
 * Guards registering and changing a trust: an actor who chooses the accepted tokens could get one accepted. So the actor must hold every
 * permission that it gives, before and after, and its permissions last no longer than the credential of the actor. The author of a trust
 * for users could act as each user with an account at the issuer, and must hold their permissions. Disabling needs the permissions of the
 * verb for it.
 *
 * @throws Problem `forbidden` naming what is missing
 */
export async function mustBeAllowedToChange(trx: Trx, { now, actor, existing, input }: Change): Promise<void> {
  const [before, after] = [rightsIn(existing?.permissions ?? {}), rightsIn(input.permissions)];
  await mustHold({ db: trx, now }, actor, [...before, ...after]);
  const rolesBefore = existing?.roles ?? [];
  await mustHoldRoles(trx, { now, actor }, rolesBefore);
  await mustGive(trx, actor, input.roles, now());
  if (input.kind === 'login') await mustBeAllowedToChangeLogin(trx, { now, actor, existing, input });
  if (input.kind === 'id_jag') mustBePermitted(actor, 'latchkey:user:link', 'Trusting an issuer to identify users');
  if (input.kind !== 'workload')
    for (const user_id of await listRoledUsersAt(trx, input.issuer)) await mustHoldAllOf(trx, actor, user_id, now());
  if (existing?.enabled && !input.enabled) mustBePermitted(actor, 'latchkey:trust:disable', 'Disabling a trust');
  const isMoreRoles = input.roles.some((role) => !rolesBefore.includes(role));
  const isMore = existing === undefined || addsRights(before, after) || isMoreRoles || isLooser(existing, input);
  if (isMore) mustNotExceedLimits(actor, { what: 'a trust', until: null });
}

/** The roles of a trust that still exist; deleted ones grant nothing. */
async function mustHoldRoles(trx: Trx, { now, actor }: Pick<Change, 'now' | 'actor'>, names: readonly string[]) {
  const roles = await listRolesNamed(trx, names);
  await mustHold(
    { db: trx, now },
    actor,
    roles.flatMap(({ permissions }) => permissions),
  );
}

/** The most that a user without administrative permissions holds, and what an administrator may hold beside it. */
const everyday: Right[] = [{ resource: null, pattern: '*' }];
const everything: Right[] = ['*', 'latchkey:*', 'secrets:*'].map((pattern) => ({ resource: null, pattern }));

/**
 * The author of a trust by which users sign in could sign in as each user with an account there, and if it is authoritative for a domain,
 * as each with an address in it: the author must hold what these may hold.
 */
async function mustBeAllowedToChangeLogin(trx: Trx, { now, actor, existing, input }: Change): Promise<void> {
  const states = [existing?.login, input.login].flatMap((login) => login ?? []);
  for (const login of states) mustBeAllowedToLetIn(actor, login);
  const isForAdministrators = states.some((login) => login.for_administrators);
  const isAuthoritative = states.some(({ email_domains }) => email_domains.length > 0);
  if (isForAdministrators) await mustHold({ db: trx, now }, actor, everything);
  else if (isAuthoritative) await mustHold({ db: trx, now }, actor, everyday);
  const after = input.login;
  if (after) await mustBeAllowedToMap(trx, actor, { before: existing?.login, after, now: now() });
}

/** Whether the trust accepts other tokens than before, or grants more for them. */
function isLooser(existing: Trust, input: TrustInput): boolean {
  const ttl = ({ access_token_ttl_seconds: seconds }: Pick<TrustInput, 'access_token_ttl_seconds'> | Trust) =>
    seconds ?? Number.POSITIVE_INFINITY;
  return (
    isOtherwiseTrusted(existing, input) ||
    (input.enabled && !existing.enabled) ||
    (existing.one_time && !input.one_time) ||
    input.most_workloads > existing.most_workloads ||
    mappedRoleDays(input.login ?? {}) > mappedRoleDays(existing.login ?? {}) ||
    admitsMore(existing.login, input.login) ||
    ttl(input) > ttl(existing)
  );
}

/** Whether more users get an account, or more addresses are verified. */
function admitsMore(before: Trust['login'] | undefined, after: TrustInput['login']): boolean {
  const isOpener =
    creationPolicies.indexOf(after?.creation ?? 'off') > creationPolicies.indexOf(before?.creation ?? 'off');
  return isOpener || (after?.email_domains ?? []).some((domain) => !before?.email_domains.includes(domain));
}

function rightsIn(permissions: Readonly<Record<string, readonly string[]>>): Right[] {
  return Object.entries(permissions).flatMap(([resource, patterns]) =>
    patterns.map((pattern) => ({ resource, pattern })),
  );
}

/** Whether other tokens are accepted than before, or get other roles: then the earlier permissions end. */
export function isOtherwiseTrusted(existing: Trust, input: TrustInput): boolean {
  const of = ({ audience = null, jwks_uri = null, jwks = null, conditions, login, token_review }: Trust | TrustInput) =>
    JSON.stringify([
      ...[audience, jwks_uri, jwks, conditions, login?.provider, login?.client_id, login?.for_administrators],
      ...[token_review?.url, token_review?.ca],
      namedMappings(login),
    ]);
  return of(existing) !== of(input);
}

/**
 * A trust must be for specific subjects. One without conditions would accept every program that its issuer knows, and at a public issuer
 * that is anyone.
 *
 * @throws Problem `invalid`: it contradicts itself, or would accept anyone
 */
export function mustNameWhom(input: TrustInput, { allowHttp }: { allowHttp: boolean }): void {
  const { kind, issuer, audience, jwks, jwks_uri, conditions, token_review: review } = input;
  mustDescribeLogin(input);
  mustBeOfWorkloads(input);
  if (review && !isReadable(review.url, allowHttp)) throw invalid('/token_review/url', 'Use an https URL.');
  if (jwks && jwks_uri) throw invalid('/jwks_uri', 'Set jwks or jwks_uri, not both.');
  const address = jwks ? undefined : (jwks_uri ?? (review ? undefined : issuer));
  if (address !== undefined && !isReadable(address, allowHttp)) {
    const pointer = jwks_uri ? '/jwks_uri' : '/issuer';
    throw invalid(
      pointer,
      `Use an https URL${jwks_uri ? '' : ', or set jwks or jwks_uri: keys cannot be found at it'}.`,
    );
  }
  if (kind === 'id_jag' && audience !== undefined)
    throw invalid('/audience', 'Leave it out: identity assertions are for the issuer of this installation.');
  // The linked accounts of users determine its subjects.
  if (kind !== 'workload') return;
  if (conditions.length === 0)
    throw invalid(
      '/conditions',
      'Set at least one condition, such as on "sub": without one every token of the issuer is accepted.',
    );
  const claims = claimsToName(issuer, conditions);
  if (claims)
    throw invalid('/conditions', `${issuer} issues tokens to anyone: set a condition on one of ${claims.join(', ')}.`);
}

/** Only workloads get roles by a trust, and only their tokens can be reviewed by a cluster. @throws Problem `invalid` */
function mustBeOfWorkloads({ kind, roles, token_review }: TrustInput): void {
  if (kind === 'workload') return;
  if (roles.length > 0) throw invalid('/roles', 'Leave it out: only trusts in workloads give roles.');
  if (token_review) throw invalid('/token_review', 'Leave it out: only tokens of workloads are reviewed by a cluster.');
}

function isReadable(address: string, allowHttp: boolean): boolean {
  const url = URL.parse(address);
  if (url?.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (allowHttp && url.protocol === 'http:');
}
