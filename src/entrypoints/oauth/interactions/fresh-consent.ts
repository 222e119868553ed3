import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { isInArea } from '../../../domain/access/index.ts';
import { isProofDue, proofSeconds } from '../../../domain/sessions/index.ts';
import type { AssuranceDeps } from './assurance.ts';

const { Check } = interactionPolicy;

/**
 * Requires a recent sign-in or step-up before a user consents to permissions of Latchkey or of secrets (OWASP ASVS 5.0 §7.5.3). With
 * these, an app can do what the console does only after a fresh proof: a copied session cookie alone must not be enough. Permissions that
 * the user consented to earlier need no new proof.
 */
export function freshConsentCheck({ db, now }: Pick<AssuranceDeps, 'db' | 'now'>) {
  return new Check(
    'fresh_consent',
    'a recent authentication of the End-User is required',
    'login_required',
    async ({ oidc }) => {
      const { session, result } = oidc;
      if (!session?.accountId || result?.login || !session.past(proofSeconds) || !asksReserved(oidc)) return false;
      return isProofDue(db, session.accountId, { uid: session.uid, now: now() });
    },
  );
}

/** Whether consent to permissions of Latchkey or of secrets is missing. */
function asksReserved({ grant, requestParamScopes, resourceServers = {} }: KoaContextWithOIDC['oidc']): boolean {
  return Object.entries(resourceServers).some(([identifier, server]) => {
    const answered = new Set(grant?.getResourceScopeEncountered(identifier).split(' '));
    return [...requestParamScopes].some(
      (scope) => server.scopes.has(scope) && !answered.has(scope) && isInArea(scope, ['latchkey', 'secrets']),
    );
  });
}
