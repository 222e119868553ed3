import { inflateSync } from 'node:zlib';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, type JWTVerifyResult, jwtVerify } from 'jose';
import { type Sent, send } from './http.ts';
import type { Answer, Latchkey } from './latchkey.ts';

export type Place = { idx: number; uri: string };
type ListClaims = { status_list: { bits: number; lst: string }; ttl: number };

/** The place of a JWT access token in a status list, according to its claims. */
export function placeOf(access_token: string): Place {
  return (decodeJwt(access_token).status as { status_list: Place }).status_list;
}

/** Requests a list from a node, as a proxy in front of it would. */
export function askForList(latchkey: Latchkey, uri: string, sent: Sent = {}, node = latchkey.issuer): Promise<Answer> {
  const { pathname, search } = new URL(uri);
  const forwarded = { 'x-forwarded-host': new URL(latchkey.issuer).host };
  return send(node, pathname + search, { ...sent, headers: { ...forwarded, ...sent.headers } });
}

/** A list of a node, verified with only the published keys. */
export async function verifiedList(
  latchkey: Latchkey,
  uri: string,
  node = latchkey.issuer,
): Promise<JWTVerifyResult<ListClaims>> {
  const { status, body } = await askForList(latchkey, uri, {}, node);
  if (status !== 200) throw new Error(`no list: ${status} ${JSON.stringify(body)}`);
  const jwks = createLocalJWKSet((await send(latchkey.issuer, '/oauth/jwks')).body as unknown as JSONWebKeySet);
  return jwtVerify<ListClaims>(String(body.text), jwks, { subject: uri, typ: 'statuslist+jwt' });
}

/** The status at a place: 0 is valid, 1 is refused. */
export function statusAt({ payload }: JWTVerifyResult<ListClaims>, idx: number): number {
  const bytes = inflateSync(Buffer.from(payload.status_list.lst, 'base64url'));
  return (bytes.readUInt8(Math.floor(idx / 8)) >> (idx % 8)) & 1;
}

/** The status of a token in a node's list now. */
export async function statusOf(latchkey: Latchkey, access_token: string, node = latchkey.issuer): Promise<number> {
  const { idx, uri } = placeOf(access_token);
  return statusAt(await verifiedList(latchkey, uri, node), idx);
}
