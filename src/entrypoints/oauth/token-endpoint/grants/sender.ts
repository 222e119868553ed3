import { type AccessToken, type ClientCredentials, errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { checkDpopReplay, checkDpopRequired, checkMtlsCert, validateDpop } from 'oidc-provider/lib/helpers/grants.js';

export type Token = AccessToken | ClientCredentials;

/** How tokens are bound to their sender: to a DPoP key (RFC 9449 §5), a certificate (RFC 8705 §3), or not. */
export async function senderOf(ctx: TokenEndpointGrantContext): Promise<(token: Token) => void> {
  const { provider, client } = ctx.oidc;
  const proof = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, proof);
  const certificate = checkMtlsCert(provider, ctx);
  await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidDpopProof);
  return (token) => {
    if (certificate) token.setThumbprint('x5t', certificate);
    if (proof) token.setThumbprint('jkt', proof.thumbprint);
  };
}
