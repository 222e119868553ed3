import type { Middleware } from 'koa';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { RegisteredBy } from '../../../../../db/schema.ts';
import type { Refusals } from '../../../../domain/audit/index.ts';
import { builtInClientId } from '../../../../domain/clients/index.ts';
import { findStandingIdentity } from '../../../../domain/identities/index.ts';
import type { ResourceServers } from '../../../../domain/resource-servers/index.ts';
import {
  type Assertion,
  isPassed,
  type Judgement,
  type JudgementDeps,
  judge,
  judgeClaims,
  judgeType,
  type KnownTrusts,
  readAssertion,
  reasonIn,
  registerWorkload,
  reviewRefusalIn,
  type Trust,
  type TrustedAssertion,
  type WorkloadUses,
  workloadClientId,
} from '../../../../domain/trusts/index.ts';
import type { Db } from '../../../../platform/database/index.ts';
import { anonymous, form, isSeen } from '../../../../platform/http/index.ts';
import { jwtBearer } from '../../provider/urns.ts';
import { type AcceptedAssertion, type AssertionRefusal, currentUnit } from '../../unit-of-work/index.ts';
import { answerForClient, asksFor } from './presented-client.ts';

export type PresentedAssertionDeps = JudgementDeps & {
  db: Db;
  trusts: KnownTrusts;
  workloadUses: WorkloadUses;
  refusals: Refusals;
  resourceServers: Pick<ResourceServers, 'find'>;
  /** A client as this node has it cached; undefined: there is none. */
  knownClient: (client_id: string) => Promise<{ enabled: boolean; registered_by: RegisteredBy } | undefined>;
  /** Records an id of an issuer until a time in seconds; false: it was used before, on any node. */
  isFirstUse: (issuer: string, jti: string, expiresAtSeconds: number) => Promise<boolean>;
};

/**
 * Checks the assertion of a token request before the provider needs the client: a workload needs only the token of its issuer, and is its
 * own client. An unknown one is registered.
 */
export function findPresentedAssertion(deps: PresentedAssertionDeps): Middleware {
  return async (ctx, next) => {
    const parameters = form(ctx);
    if (!asksFor(ctx, jwtBearer)) return next();
    const found = await trustedIn(deps, readAssertion(parameters.get('assertion') ?? ''), isOpenToTokenRequests);
    const answersFor = answerForClient(ctx, parameters, clientOf(found));
    currentUnit().presentedAssertion = { found, grant_type: jwtBearer, answersFor };
    return next();
  };
}

/** Roles of Vault's auth methods limit the tokens of a login there, by uses and addresses, as no token request would. */
const isOpenToTokenRequests = ({ vault_role }: Trust): boolean => vault_role === null;

/**
 * The client that an assertion identifies. One about a user identifies none: its client authenticates itself. A refused one identifies
 * none, too: a response about its client would reveal which clients exist.
 */
function clientOf(found: AcceptedAssertion | AssertionRefusal): string | undefined {
  if ('reason' in found) return builtInClientId;
  return found.identity ? undefined : workloadClientId(found.trust, found.subject);
}

/**
 * The permissions of this client by the assertion that it sent.
 *
 * @throws `invalid_grant`, the same for any error: the reason is in the audit log (RFC 7523 §3.1)
 */
export async function assertionOf(deps: PresentedAssertionDeps, ctx: KoaContextWithOIDC): Promise<AcceptedAssertion> {
  const { found, answersFor } = currentUnit().presentedAssertion ?? {};
  if (!found) throw new Error('an assertion was not judged');
  if ('reason' in found) throw await refusedAssertion(deps, found);
  const client_id = ctx.oidc.client?.clientId;
  const isItsOwn = found.identity
    ? found.assertion.payload.client_id === client_id
    : answersFor !== undefined && client_id === answersFor;
  if (!isItsOwn) throw await refusedAssertion(deps, refusalOf(found, 'the request is of another client'));
  return found;
}

const secondsToRemember = 60;

/** Of an assertion that is accepted once the first use wins, on any node (RFC 7523 §3). */
export async function useOnce(deps: PresentedAssertionDeps, trusted: TrustedAssertion): Promise<void> {
  const { trust, jti, expires_at } = trusted;
  if (jti === undefined) return;
  const until = Math.ceil(expires_at.getTime() / 1000) + secondsToRemember;
  if (await deps.isFirstUse(`trust ${trust.id}`, jti, until)) return;
  throw await refusedAssertion(deps, refusalOf(trusted, 'the assertion was used before'));
}

/** Records why an assertion is refused. @returns the refusal, which does not contain the reason */
export async function refusedAssertion(
  { refusals }: Pick<PresentedAssertionDeps, 'refusals'>,
  { reason, trust_id, details }: AssertionRefusal,
): Promise<Error> {
  const target = trust_id === undefined ? {} : { target: { kind: 'trust', id: trust_id } };
  const actor = anonymous(currentUnit().origin);
  await refusals.record({ actor, action: 'trust.refused', ...target, reason, ...(details && { details }) });
  return new errors.InvalidGrant(reason);
}

/** The refusal of an assertion that its trust accepts. */
export function refusalOf({ trust, assertion }: TrustedAssertion, reason: string): AssertionRefusal {
  return { reason, trust_id: trust.id, details: saidBy(assertion) };
}

const mostJudged = 10;

/**
 * The oldest trust whose conditions and keys match decides, so that a new one does not take workloads from it. One that grants nothing
 * comes after all that grant something.
 *
 * @param isMeant selects the trusts that the caller means
 */
export async function trustedIn(
  deps: PresentedAssertionDeps,
  assertion: Assertion | undefined,
  isMeant: (trust: Trust) => boolean,
): Promise<AcceptedAssertion | AssertionRefusal> {
  if (!assertion) return { reason: 'the assertion is not a signed JWT' };
  const details = saidBy(assertion);
  const { unverified_iss } = details;
  const { iss } = assertion.payload;
  const trusts = typeof iss === 'string' ? (await deps.trusts.of(iss)).filter(isMeant) : [];
  // The signature is verified only if the claims are correct.
  const judged = trusts.map((trust) => ({ trust, claims: judgeClaims(deps, trust, assertion) }));
  const wanted = judged
    .filter(({ trust, claims }) => isPassed([judgeType(trust, assertion), ...claims]))
    .slice(0, mostJudged);
  const candidates =
    wanted.length > 0 ? wanted.toSorted((a, b) => givesNothing(a.trust) - givesNothing(b.trust)) : judged.slice(0, 1);
  let refusal: AssertionRefusal | undefined;
  for (const { trust, claims } of candidates) {
    const judgement = await judge(deps, trust, assertion, claims);
    if (judgement.trusted) return accepted(deps, judgement.trusted);
    refusal ??= { reason: whyRefused(judgement), trust_id: trust.id, details };
  }
  // The subject of a token that was not meant for this server may be a person.
  const unknown = { reason: 'no trust has this issuer', ...(unverified_iss && { details: { unverified_iss } }) };
  return refusal ?? unknown;
}

/** Refusals with one reason are recorded together, so the cluster is part of the reason. */
function whyRefused(judgement: Judgement): string {
  const review = reviewRefusalIn(judgement);
  return `the check "${reasonIn(judgement)}" failed${review === undefined ? '' : `: ${review}`}`;
}

const givesNothing = ({ permissions, roles }: TrustedAssertion['trust']) =>
  Number(Object.keys(permissions).length === 0 && roles.length === 0);

/** The accepted workload with its client, or the user of an identity assertion. */
async function accepted(
  deps: PresentedAssertionDeps,
  trusted: TrustedAssertion,
): Promise<AcceptedAssertion | AssertionRefusal> {
  if (trusted.trust.kind === 'id_jag') return aboutUser(deps, trusted);
  const problem = await registrationProblem(deps, trusted);
  return problem === undefined ? trusted : refusalOf(trusted, problem);
}

async function aboutUser(
  { db }: PresentedAssertionDeps,
  trusted: TrustedAssertion,
): Promise<AcceptedAssertion | AssertionRefusal> {
  const { trust, subject } = trusted;
  const identity = await findStandingIdentity(db, { issuer: trust.issuer, subject });
  return identity ? { ...trusted, identity } : refusalOf(trusted, 'the account is linked to no user who is enabled');
}

/** Why the client of a workload cannot be registered; undefined: it is registered, now or before. */
async function registrationProblem(
  deps: PresentedAssertionDeps,
  { trust, subject }: TrustedAssertion,
): Promise<string | undefined> {
  const client_id = workloadClientId(trust, subject);
  const known = await deps.knownClient(client_id);
  if (known && known.registered_by !== 'trust') return registrationProblems.client_id;
  if (known && !known.enabled) return 'the client of the workload is disabled';
  if (known) {
    await deps.workloadUses.note(client_id);
    return undefined;
  }
  const refusal = await registerWorkload(deps, anonymous(currentUnit().origin), { trust_id: trust.id, subject });
  return refusal && registrationProblems[refusal];
}

const registrationProblems = {
  trust: 'the trust is disabled',
  most_workloads: 'the trust has reached its maximum number of workloads',
  client_id: 'another client has the client_id of the workload',
};

const longestShown = 200;

/** The unverified claims of an assertion. */
function saidBy({ payload: { iss, sub } }: Assertion): Record<string, string> {
  const said = Object.entries({ iss, sub }).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && isSeen(entry[1].slice(0, longestShown)),
  );
  return Object.fromEntries(said.map(([name, text]) => [`unverified_${name}`, text.slice(0, longestShown)]));
}
