import { interactionPolicy } from 'oidc-provider';
import { hasLapsedRoles } from '../../../domain/access/index.ts';
import { methodsOf } from '../../../domain/assurance/index.ts';
import type { AssuranceDeps } from './assurance.ts';

const { Check } = interactionPolicy;

/** A user whose roles from an identity provider have lapsed signs in there again: the provider states the current ones. */
export function lapsedRolesCheck({ db, now }: Pick<AssuranceDeps, 'db' | 'now'>) {
  return new Check(
    'lapsed_roles',
    'the roles of the End-User by an identity provider have to be confirmed',
    'login_required',
    async ({ oidc: { session } }) => {
      const isByProvider =
        session?.accountId !== undefined && methodsOf.provider.some((each) => session.amr?.includes(each));
      return isByProvider && (await hasLapsedRoles(db, session.uid, now()));
    },
  );
}
