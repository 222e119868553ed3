import { interactionPolicy } from 'oidc-provider';
import { type AssuranceDeps, assuranceCheck } from './assurance.ts';
import { freshConsentCheck } from './fresh-consent.ts';
import { lapsedRolesCheck } from './lapsed-roles.ts';

/**
 * What users are asked before an authorization request is answered, in this order: which account (`prompt=select_account`,
 * OpenID Connect Core §3.1.2.1), to create an account (`prompt=create`, Initiating User Registration via OpenID Connect 1.0), to sign
 * in, and to consent.
 *
 * @param signsUp whether users can create accounts; `prompt=create` is refused otherwise
 */
export function prompts({ signsUp, ...deps }: AssuranceDeps & { signsUp: boolean }) {
  const policy = interactionPolicy.base();
  const login = policy.get('login');
  for (const compared of ['essential_acrs', 'essential_acr']) login?.checks.remove(compared);
  login?.checks.add(assuranceCheck(deps));
  login?.checks.add(lapsedRolesCheck(deps));
  login?.checks.add(freshConsentCheck(deps));
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  if (signsUp) policy.add(new interactionPolicy.Prompt({ name: 'create', requestable: true }), 0);
  return policy;
}
