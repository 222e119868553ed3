/** What oidc-provider's own grants are made of. It ships these without types, and without naming them in its index. */
declare module 'oidc-provider/lib/helpers/grants.js' {
  type Context = import('oidc-provider').KoaContextWithOIDC;
  type Provider = import('oidc-provider').Provider;
  type Certificate = import('node:crypto').X509Certificate;
  type Proof = { thumbprint: string; jti: string; iat: number };
  type BoundToken = import('oidc-provider').AccessToken | import('oidc-provider').ClientCredentials;

  /** The DPoP proof that came along. */
  export function validateDpop(provider: Provider, ctx: Context): Promise<Proof | undefined>;
  /** The certificate that tokens of this client must be bound to. */
  export function checkMtlsCert(provider: Provider, ctx: Context): Certificate | undefined;
  export function checkDpopRequired(provider: Provider, ctx: Context, proof: Proof | undefined): void;
  export function checkDpopReplay(
    provider: Provider,
    ctx: Context,
    proof: Proof | undefined,
    client_id: string,
    refusal: new () => Error,
  ): Promise<void>;
  export function resolveRequestedResources(
    provider: Provider,
    ctx: Context,
  ): Promise<import('oidc-provider').ResourceServerInstance[]>;
  export function buildTokenResponse(
    provider: Provider,
    answer: { accessToken: string; expiresIn: number; issuedTokenType: string; scope?: string; tokenType: string },
  ): Record<string, unknown>;
}
