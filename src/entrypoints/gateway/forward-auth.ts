import type { Answer } from './answers.ts';
import { ambiguous, type Credential, credentialOf, single } from './credentials.ts';
import type { GatewayRequest } from './gateway-request.ts';
import { isPreflight } from './preflights.ts';
import { admit, admitPreflight, challengeFor, notPermitted, refuse } from './proxy-answers.ts';
import { type Question, questionIn } from './question.ts';
import { type RecordDeps, recordUse } from './recorded-uses.ts';
import type { VerifyRequest } from './schemas.ts';
import type { Filled } from './templates.ts';
import { judge, type VerdictDeps } from './verdicts.ts';

export type ForwardAuthDeps = VerdictDeps & RecordDeps & { now: () => Date; issuer: string };

/**
 * Answers proxies before they forward a request: `/gateway/forward-auth?permission=…` (nginx `auth_request`,
 * Traefik ForwardAuth, Caddy `forward_auth`, HAProxy), and `/gateway/ext-authz/PERMISSION/RESOURCE/…` (Envoy, which appends the
 * path of the request). The proxy's configuration sets the required permissions; a client can only add to them.
 *
 * @throws Problem 400, 401, 403, 429: the refusal of the request
 */
export async function forwardAuth(deps: ForwardAuthDeps, asked: GatewayRequest): Promise<Answer> {
  const question = questionIn(asked);
  const credential = credentialOf(asked, deps.issuer);
  if (!credential && question.admitsPreflight && isPreflight(asked, question.request)) return admitPreflight();
  if (!credential) throw challengeFor(question.resource);
  const request = verificationOf(asked, question, credential);
  const judgement = await judge(deps, request, deps.keys.senderAt(asked.ip));
  const { verdict } = judgement;
  recordUse(deps, { request, judgement, from: asked.ip, request_id: asked.request_id });
  if (!verdict.valid) throw refuse(verdict, question, deps.now());
  return admit(judgement, deps.now());
}

/** @throws Problem 400, 403: no permission can be derived */
function verificationOf(asked: GatewayRequest, question: Question, credential: Credential): VerifyRequest {
  const { request, resource } = question;
  const filledIn = question.permissions.map((fill) => filled(fill(request)));
  const isOne = filledIn.length <= 1;
  const [permission, permissions] = isOne ? [filledIn[0], undefined] : [undefined, { and: filledIn }];
  const named = question.parameters.map(([name, fill]) => [name, filled(fill(request))] as const);
  const parameters = named.length === 0 ? undefined : Object.fromEntries(named);
  const needed = { permission, permissions, resource, ip: asked.ip, origin: single(asked, 'origin') };
  const { acr_values, max_age } = question;
  const counted = { cost: costOf(question.cost), parameters, acr_values, max_age };
  if ('key' in credential) return { key: credential.key, ...needed, ...counted };
  const { token, scheme } = credential;
  const proof = scheme === 'dpop' ? single(asked, 'dpop') : undefined;
  return { token, ...needed, ...counted, method: request.method, url: urlOf(asked, question), proof };
}

function filled(result: Filled): string {
  if ('problem' in result) throw notPermitted(result.problem);
  return result.text;
}

function costOf(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^\d{1,6}$/.test(text)) throw ambiguous('The cost must be a whole number.');
  return Number(text);
}

/** The address that the client called, for which a DPoP proof was made; an API's identifier is more reliable than a header. */
function urlOf(asked: GatewayRequest, { resource, request }: Question): string {
  const known = resource === undefined ? null : URL.parse(resource);
  const isWeb = known !== null && /^https?:$/.test(known.protocol);
  const scheme = single(asked, 'x-forwarded-proto') ?? 'https';
  const origin = isWeb ? known.origin : `${scheme}://${single(asked, 'x-forwarded-host') ?? asked.headers.host ?? ''}`;
  return `${origin}${request.path}`;
}
