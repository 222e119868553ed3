import { type EventMembers, eventMembers } from '../../../domain/audit/index.ts';
import { binaryText } from '../../../platform/database/index.ts';
import type { accessTokenColumns, Unit } from '../unit-of-work/index.ts';
import { clientCredentials } from './grants/client-credentials.ts';
import { type GrantType, grantTypes } from './grants/index.ts';

type AccessTokenMembers = { [Column in keyof typeof accessTokenColumns as `access_${Column}`]?: unknown };

/**
 * The unit as the statements see it. Absent members are left out, which halves what is written and read.
 */
export type UnitRow = AccessTokenMembers & {
  n: number;
  source: string;
  client_id: string;
  /** The client's epoch when this node authenticated it; undefined: the token is issued under a grant, which contains it. */
  client_epoch?: number | undefined;
  /** The secret with which it authenticated. */
  client_secret_id?: string | undefined;
  user_id?: string | undefined;
  grant_id?: string | undefined;
  family_id?: string | undefined;
  api_key_id?: string | undefined;
  api_key_version?: number | undefined;
  trust_id?: string | undefined;
  trust_epoch?: number | undefined;
  identity_id?: string | undefined;
  presented?: string | undefined;
  successor?: string | undefined;
  next_key_id: number;
  grace_seconds: number;
  refresh_handle?: string | undefined;
  refresh_digest?: string | undefined;
  refresh_payload: unknown;
  refresh_expires_at?: Date | undefined;
  refresh_absolute_expires_at?: Date | undefined;
  access_digest?: string | undefined;
  access_jti?: string | undefined;
  status_list_id?: number | undefined;
  status_index?: number | undefined;
} & /** Recorded if the unit wins. */ EventMembers;

type Client = { id: string; client_id: string; epoch: number };

/** The row of a unit; its successor's own successor will be derived with the server key `next_key_id`. */
export function unitRow(
  unit: Unit,
  client: Client,
  { next_key_id, occurred_at }: { next_key_id: number; occurred_at: Date },
): UnitRow {
  const { source, writes } = unit;
  const { access_token, refresh_token, successor } = writes;
  const { key, ...members } = access_token ?? {};
  const grant = grantTypeOf(unit);
  return {
    n: 0,
    source: grant.source,
    client_id: client.id,
    client_epoch: grant.onBehalfOf === 'client' || grant.onBehalfOf === 'identity' ? client.epoch : undefined,
    client_secret_id: unit.clientSecret?.id,
    user_id: source?.user_id,
    grant_id: source?.grant_id,
    family_id: source?.family_id,
    api_key_id: source?.api_key_id,
    api_key_version: source?.api_key_version,
    trust_id: source?.trust_id,
    trust_epoch: source?.trust_epoch,
    identity_id: source?.identity_id,
    presented: binaryText(source?.digest),
    successor: binaryText(successor?.digest),
    next_key_id,
    grace_seconds: source?.graceSeconds ?? 0,
    refresh_handle: binaryText(refresh_token?.handle_digest),
    refresh_digest: binaryText(refresh_token?.digest),
    refresh_payload: refresh_token?.payload,
    refresh_expires_at: successor?.expires_at ?? refresh_token?.expires_at,
    refresh_absolute_expires_at: refresh_token?.absolute_expires_at,
    access_digest: key && 'digest' in key ? binaryText(key.digest) : undefined,
    access_jti: key && 'jti' in key ? key.jti : undefined,
    status_list_id: key && 'jti' in key ? key.status_list_id : undefined,
    status_index: key && 'jti' in key ? key.status_index : undefined,
    ...Object.fromEntries(Object.entries(members).map(([column, value]) => [`access_${column}`, value])),
    ...eventOf(unit, grant, { client_id: client.client_id, occurred_at }),
  };
}

/** The grant type of a unit. One that presents nothing is a client's request for itself. */
export function grantTypeOf({ source }: Unit): GrantType {
  const grant = grantTypes.find(({ source: word }) => word === (source?.kind ?? clientCredentials.source));
  if (!grant) throw new Error(`no grant type is called ${source?.kind}`);
  return grant;
}

function eventOf(
  { source, writes, origin }: Unit,
  grant: GrantType,
  { client_id, occurred_at }: { client_id: string; occurred_at: Date },
): EventMembers {
  const { access_token } = writes;
  const actor = source && grant.actor?.(source);
  return eventMembers({
    actor: { ...(actor ?? { kind: 'client', id: client_id }), permissions: [], origin },
    action: grant.recorded.won.action,
    target: source?.user_id ? { kind: 'user', id: source.user_id } : { kind: 'client', id: client_id },
    details: {
      grant_type: grant.source,
      client_id: actor ? client_id : undefined,
      grant_id: source?.grant_id,
      family_id: source?.family_id,
      trust_id: source?.trust_id,
      identity_id: source?.identity_id,
      scope: access_token?.scope,
      audience: access_token?.audience,
    },
    occurred_at,
  });
}
