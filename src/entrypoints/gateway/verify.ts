import { checked, type HostRules, judgeHost, methodNotAllowed, readJson } from '../../platform/http/index.ts';
import { type Answer, json, redirectTo } from './answers.ts';
import { type Caller, type CallerDeps, cachedCallerOf, callerOf } from './callers.ts';
import { ambiguous } from './credentials.ts';
import type { GatewayRequest } from './gateway-request.ts';
import { type RecordDeps, recordUse } from './recorded-uses.ts';
import { VerifyBatch, VerifyRequest } from './schemas.ts';
import { type Judgement, judge, type VerdictDeps } from './verdicts.ts';

export type VerifyDeps = VerdictDeps & CallerDeps & RecordDeps & { host: HostRules };

/**
 * Answers `POST /gateway/verify`: verifies the credentials of requests that services received, one or many at once. The caller is checked
 * before the body is read.
 *
 * @throws Problem 400, 401, 403, 405, 413, 415, 421, 429
 */
export async function verify(deps: VerifyDeps, asked: GatewayRequest): Promise<Answer> {
  const elsewhere = judgeHost(deps.host, asked.req);
  if (elsewhere !== undefined) return redirectTo(elsewhere);
  if (asked.method !== 'POST') throw methodNotAllowed(asked.method, 'POST');
  if (asked.querystring !== '') throw ambiguous('Describe the request in the body: this address takes no query.');
  // Without a wait the body is read as it arrives; otherwise Node has to buffer it first.
  const caller = cachedCallerOf(deps, asked) ?? (await callerOf(deps, asked));
  const body = await readJson(asked.req);
  if (isBatch(body)) return verifyAll(deps, asked, { body, caller });
  const request = parsed(body);
  const judgement = await judge(deps, request, senderOf(request, caller));
  const { verdict, cached, isFromMemory } = judgement;
  recordUse(deps, { request, judgement, caller: caller.id, from: asked.ip, request_id: asked.request_id });
  const text = cached && verdict.limits.length === 0 ? cached.text : JSON.stringify(verdict);
  return json(text, isFromMemory && caller.isFromMemory);
}

async function verifyAll(
  deps: VerifyDeps,
  asked: GatewayRequest,
  { body, caller }: { body: unknown; caller: Caller },
): Promise<Answer> {
  const { requests } = checked(VerifyBatch, body);
  const verdictOn = async (request: VerifyRequest): Promise<Judgement['verdict']> => {
    const judgement = await judge(deps, request, senderOf(request, caller));
    recordUse(deps, { request, judgement, caller: caller.id, from: asked.ip, request_id: asked.request_id });
    return judgement.verdict;
  };
  return json(JSON.stringify({ results: await Promise.all(requests.map(verdictOn)) }), false);
}

/** @throws Problem 400 that names every wrong member */
function parsed(body: unknown): VerifyRequest {
  const { success, data } = VerifyRequest.safeParse(body);
  // Error texts are created only if there are errors.
  return success ? data : checked(VerifyRequest, body);
}

/** The address to count if the key does not exist. */
function senderOf({ ip }: VerifyRequest, { id }: Caller) {
  return ip === undefined ? { service: id } : { address: ip };
}

function isBatch(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'requests' in body;
}
