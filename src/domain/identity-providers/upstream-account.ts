import type { JWTPayload } from 'jose';

/** Somebody as their provider knows them. */
export type UpstreamAccount = {
  issuer: string;
  subject: string;
  claims: JWTPayload;
  /** When they proved to the provider who they are; undefined: it does not say. */
  authenticated_at: Date | undefined;
  /** Their session there. */
  sid: string | undefined;
};
