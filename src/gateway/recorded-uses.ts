import { decodeJwt } from 'jose';
import type { Context } from 'koa';
import { type AccessRecords, credentialName } from '../access-records/index.ts';
import { requestOrigin } from '../platform/http/index.ts';
import { isAccessToken } from '../tokens/index.ts';
import type { Verdict, VerifyRequest } from './schemas.ts';

export type RecordDeps = { records: AccessRecords };
type Judged = { request: VerifyRequest; verdict: Verdict; caller?: string; request_id?: string };

/** Records what an API or proxy was told about a key or token. */
export function recordUse(
  { records }: RecordDeps,
  ctx: Context,
  { request, verdict, caller, request_id }: Judged,
): void {
  const { valid, subject, subject_kind, client_id } = verdict;
  records.record({
    kind: 'verification',
    outcome: valid ? 'active' : 'refused',
    caller,
    credential: verdict.key_id ?? credentialIn(request, verdict),
    client_id,
    user_id: subject_kind === 'user' ? subject : undefined,
    address: request.ip ?? ctx.ip,
    request_id: request_id ?? requestOrigin(ctx).request_id,
  });
}

/** What finds a token that is one of ours; of others there is nothing to remember. */
function credentialIn({ token }: VerifyRequest, { subject }: Verdict): string | undefined {
  if (token === undefined || subject === undefined) return undefined;
  return isAccessToken(token) ? credentialName(token) : decodeJwt(token).jti;
}
