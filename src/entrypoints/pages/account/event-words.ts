import type { RecordedEvent } from '../../../domain/audit/index.ts';
import { listClientNames } from '../../../domain/clients/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import type { Catalogue } from '../languages/en.ts';

type Words = (
  texts: Catalogue,
  event: { app: string; role: string; key: string; kind: string; reason: string | null; by: EventInWords['by'] },
) => string;

const signedOut: Words = ({ events }, { reason }) => {
  if (reason === 'signed out from another browser') return events.signedOutElsewhere;
  return reason === 'password changed' ? events.signedOutByPassword : events.signedOut;
};

function refusedSignIn(events: Catalogue['events'], reason: string | null): string {
  if (reason === 'throttled') return events.throttled;
  if (reason?.startsWith('no code mailed')) return events.noCodeMailed;
  if (reason?.startsWith('the method ')) return events.methodNotAllowed;
  if (reason === 'wrong code') return events.wrongCode;
  return reason?.startsWith('wrong passkey') ? events.wrongPasskey : events.wrongPassword;
}

type OfKey = 'keyCreated' | 'keyUpdated' | 'keyRotated' | 'keyDisabled' | 'keyEnabled' | 'keyRevoked';

const ofKey =
  (name: OfKey): Words =>
  ({ events }, { key, by }) => {
    const others = by === 'server' ? events.server : events.administrator;
    return events[name]({ key, who: by === 'browser' ? events.you : others });
  };

/** Events in words, addressed to the user. */
const words: Readonly<Record<string, Words>> = {
  'session.started': ({ events }) => events.signedIn,
  'session.confirmed': ({ events }) => events.confirmed,
  'session.refused': ({ events }, { reason }) => refusedSignIn(events, reason),
  'session.ended': signedOut,
  'consent.given': ({ events }, { app }) => events.consentGiven({ app }),
  'consent.denied': ({ events }, { app }) => events.consentDenied({ app }),
  'consent.revoked': ({ events }, { app, by }) =>
    by === 'browser' ? events.consentRevoked({ app }) : events.consentRevokedByOther({ app }),
  'user.password_changed': ({ events }) => events.passwordChanged,
  'user.password_set': ({ events }) => events.passwordSet,
  'user.password_link_created': ({ events }) => events.passwordLink,
  'recovery.refused': ({ events }) => events.recoveryRefused,
  'user.password_chosen': ({ events }) => events.passwordChosen,
  'user.email_change_requested': ({ events }) => events.emailRequested,
  'user.email_changed': ({ events }) => events.emailChanged,
  'user.factor_added': ({ events }, { kind }) => (kind === 'totp' ? events.appAdded : events.passkeyAdded),
  'user.factor_removed': ({ events }, { kind }) => (kind === 'totp' ? events.appRemoved : events.passkeyRemoved),
  'user.sign_in_code_mailed': ({ events }) => events.signInCodeMailed,
  'user.browser_remembered': ({ events }) => events.browserRemembered,
  'user.browser_forgotten': ({ events }) => events.browserForgotten,
  'user.enrolment_link_created': ({ events }) => events.enrolmentLinkCreated,
  'user.factors_reset': ({ events }) => events.factorsReset,
  'user.recovery_codes_created': ({ events }) => events.recoveryCodesCreated,
  'user.recovery_code_used': ({ events }) => events.recoveryCodeUsed,
  'user.email_verified': ({ events }) => events.emailVerified,
  'user.email_unverified': ({ events }) => events.emailUnverified,
  'user.created': ({ events }) => events.created,
  'user.updated': ({ events }, { by }) => (by === 'browser' ? events.updatedOwn : events.updated),
  'user.disabled': ({ events }) => events.disabled,
  'role.assigned': ({ events }, { role }) => events.roleAssigned({ role }),
  'role.unassigned': ({ events }, { role }) => events.roleUnassigned({ role }),
  'api_key.created': ofKey('keyCreated'),
  'api_key.updated': ofKey('keyUpdated'),
  'api_key.rotated': ofKey('keyRotated'),
  'api_key.disabled': ofKey('keyDisabled'),
  'api_key.enabled': ofKey('keyEnabled'),
  'api_key.revoked': ofKey('keyRevoked'),
  'tokens.revoked': ({ events }) => events.tokensRevoked,
  'user.data_downloaded': ({ events }) => events.dataDownloaded,
  'refresh_token.reuse': ({ events }, { app }) => events.refreshReused({ app }),
  'refresh_token.replay_refused': ({ events }, { app }) => events.refreshRefused({ app }),
  'authorization_code.reuse': ({ events }, { app }) => events.signInReused({ app }),
  'device_code.reuse': ({ events }, { app }) => events.signInReused({ app }),
};

/** The actions that a user's own activity shows. */
export const shownActions: readonly string[] = Object.keys(words);

// Marked for attention if the user did not expect it.
const alarming =
  /^(session\.refused|user\.password_(set|link_created|chosen)|user\.email_changed|user\.(factor|recovery)[a-z_]*|role\.assigned|api_key\.(created|rotated)|[a-z_]+\.(reuse|replay_refused))$/;

export type EventInWords = {
  what: string;
  /** The browser or program of the user; for an app it is its own server. */
  by: 'browser' | 'app' | 'server' | 'administrator';
  is_alarming: boolean;
  event: RecordedEvent;
};

/** An event of a user's account in plain words, with the display names of apps. */
export async function eventsInWords(
  db: Db,
  { user_id, keyNames, texts }: { user_id: string; keyNames: ReadonlyMap<string, string>; texts: Catalogue },
  events: readonly RecordedEvent[],
): Promise<EventInWords[]> {
  const names = await listClientNames(db, [...new Set(events.map(clientOf).filter((id) => id !== undefined))]);
  return events.map((event) => {
    const client_id = clientOf(event);
    const app = (client_id && names.get(client_id)) ?? client_id ?? texts.activity.anApp;
    const role = String(event.details?.role ?? '');
    const key = String(event.details?.name ?? keyNames.get(event.target_id ?? '') ?? '');
    const kind = String(event.details?.kind ?? '');
    const by = actorOf(event, user_id);
    return {
      what: words[event.action]?.(texts, { app, role, key, kind, by, reason: event.reason }) ?? event.action,
      by,
      is_alarming: alarming.test(event.action),
      // The address of an administrator is not shown.
      event: by === 'administrator' ? { ...event, address: null, user_agent: null } : event,
    };
  });
}

function actorOf({ actor_kind, actor_id, action }: RecordedEvent, user_id: string): EventInWords['by'] {
  if (actor_kind === 'system') return 'server';
  if (actor_kind === 'anonymous' || (actor_kind === 'user' && actor_id === user_id)) return 'browser';
  return actor_kind === 'client' && isWithTokens(action) ? 'app' : 'administrator';
}

const isWithTokens = (action: string) => /^(refresh_token|authorization_code|device_code)\./.test(action);

function clientOf({ actor_kind, actor_id, target_kind, target_id, details }: RecordedEvent): string | undefined {
  if (typeof details?.client_id === 'string') return details.client_id;
  if (target_kind === 'client') return target_id ?? undefined;
  return actor_kind === 'client' ? (actor_id ?? undefined) : undefined;
}
