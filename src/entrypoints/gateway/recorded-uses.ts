import { decodeJwt } from 'jose';
import { type AccessRecords, credentialName } from '../../domain/access-records/index.ts';
import { permissionsIn } from '../../domain/api-keys/index.ts';
import { isAccessToken } from '../../domain/tokens/index.ts';
import { canonicalAddress } from '../../platform/http/index.ts';
import type { Verdict, VerifyRequest } from './schemas.ts';
import type { Judgement } from './verdicts.ts';

export type RecordDeps = { records: AccessRecords };

export type Judged = {
  request: Pick<VerifyRequest, 'ip' | 'permission' | 'permissions' | 'token'>;
  judgement: Pick<Judgement, 'verdict' | 'cached'>;
  /** The caller, if it is authenticated. */
  caller?: string;
  /** The origin of the question, which is not that of the request. */
  from: string;
  request_id: string | undefined;
};

/** Records the verdicts that APIs and proxies got about a key or token. */
export function recordUse({ records }: RecordDeps, { request, judgement, caller, from, request_id }: Judged): void {
  const { verdict, cached } = judgement;
  const { valid, subject, subject_kind, client_id } = verdict;
  records.record({
    kind: 'verification',
    outcome: valid ? 'active' : 'refused',
    caller,
    credential: verdict.key_id ?? credentialIn(request, verdict),
    client_id,
    user_id: subject_kind === 'user' ? subject : undefined,
    address: (request.ip === undefined ? undefined : canonicalAddress(request.ip)) ?? from,
    request_id,
    version: cached?.number,
    permissions: cached && asked(request),
  });
}

/** Every permission that a request is about. */
function asked({ permission, permissions }: Judged['request']): readonly string[] {
  const others = permissions === undefined ? [] : permissionsIn(permissions);
  return permission === undefined ? others : [permission, ...others];
}

/** The identifier of a token that is ours; for others nothing is recorded. */
function credentialIn({ token }: Judged['request'], { subject }: Verdict): string | undefined {
  if (token === undefined || subject === undefined) return undefined;
  return isAccessToken(token) ? credentialName(token) : decodeJwt(token).jti;
}
