import type { Payload } from './model-store.ts';

export const seconds = (at: Date) => Math.floor(at.getTime() / 1000);
export const instant = (epochSeconds: unknown) => new Date(Number(epochSeconds) * 1000);

/** oidc-provider calculates with this node's own clock: its values are lifetimes from now, by the clock that nodes share. */
export const expiryFrom = (issued_at: Date, { iat, exp }: Payload) =>
  new Date(issued_at.getTime() + (Number(exp) - Number(iat)) * 1000);

/** The stored part of a payload: never its id (the credential itself), nor what the columns and the grant decide. */
export function withoutId({
  jti: _,
  exp: __,
  iat: ___,
  expiresWithSession: ____,
  consumed: _____,
  ...rest
}: Payload): Record<string, unknown> {
  return rest;
}
