import Provider from 'oidc-provider';

/** Whether the client of this request has no authentication, so that anyone can send the same request. */
export function isAnonymousClient(): boolean {
  return Provider.ctx?.oidc.client?.clientAuthMethod === 'none';
}
