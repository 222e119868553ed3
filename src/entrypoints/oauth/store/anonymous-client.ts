import Provider from 'oidc-provider';

/** Whether the client of this request authenticates by nothing, so that anybody can send what it sends. */
export function isAnonymousClient(): boolean {
  return Provider.ctx?.oidc.client?.clientAuthMethod === 'none';
}
