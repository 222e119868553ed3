import { interactionPolicy } from 'oidc-provider';

/**
 * What people are asked before an authorization request is answered, in this order: which account (`prompt=select_account`,
 * OpenID Connect Core §3.1.2.1), to sign in, and to consent.
 */
export function prompts() {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return policy;
}
