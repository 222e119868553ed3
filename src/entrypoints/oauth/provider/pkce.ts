import ipaddr from 'ipaddr.js';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';

/**
 * Whether a request for a code needs a code challenge (RFC 7636). An OpenID Connect request of a web client that authenticates
 * and sends a `nonce` is protected by that, which the client checks (RFC 9700 §2.1.1). A public or native client, and one with a redirect
 * to the user's own computer, always needs a challenge. The library refuses a `code_verifier` for a code without a challenge, so that an
 * attacker gains nothing by removing the challenge (RFC 9700 §4.8.2).
 */
export function needsCodeChallenge(ctx: KoaContextWithOIDC, client: Client): boolean {
  const { scope, nonce, redirect_uri } = ctx.oidc.params ?? {};
  const isConfidentialWebClient = client.clientAuthMethod !== 'none' && client.applicationType === 'web';
  const isOpenId = typeof scope === 'string' && scope.split(' ').includes('openid');
  const hasNonce = typeof nonce === 'string' && nonce !== '';
  return !(
    isConfidentialWebClient &&
    isOpenId &&
    hasNonce &&
    typeof redirect_uri === 'string' &&
    isRemote(redirect_uri)
  );
}

/** Whether this redirect URI is not on the user's own computer. */
function isRemote(redirect_uri: string): boolean {
  const hostname = URL.parse(redirect_uri)
    ?.hostname.replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  if (!hostname || hostname === 'localhost' || hostname.endsWith('.localhost')) return false;
  return !ipaddr.isValid(hostname) || !['loopback', 'unspecified'].includes(ipaddr.process(hostname).range());
}
