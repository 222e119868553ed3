import type { JWTPayload } from 'jose';

/** A user's account at a provider. */
export type UpstreamAccount = {
  issuer: string;
  subject: string;
  claims: JWTPayload;
  /** When the user authenticated at the provider; undefined: it does not say. */
  authenticated_at: Date | undefined;
  /** Their session there. */
  sid: string | undefined;
};
