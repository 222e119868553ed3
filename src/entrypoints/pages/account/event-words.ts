import type { RecordedEvent } from '../../../domain/audit/index.ts';
import { listClientNames } from '../../../domain/clients/index.ts';
import type { Db } from '../../../platform/database/index.ts';

type Words = (event: {
  app: string;
  role: string;
  key: string;
  reason: string | null;
  by: EventInWords['by'];
}) => string;

const ends: Readonly<Record<string, string>> = {
  'signed out from another browser': 'You signed another browser out',
  'password changed': 'Another browser was signed out, because the password was changed',
};

const who = (by: EventInWords['by']) => {
  if (by === 'browser') return 'You';
  return by === 'server' ? 'This server' : 'An administrator';
};

/** What happened, as the person it happened to would say it. */
const words: Readonly<Record<string, Words>> = {
  'session.started': () => 'You signed in',
  'session.confirmed': () => 'You confirmed that it is you',
  'session.refused': ({ reason }) =>
    reason === 'throttled'
      ? 'Too many attempts to sign in with your name; they were stopped'
      : 'Somebody tried to sign in with your name and a wrong password',
  'session.ended': ({ reason }) => ends[reason ?? ''] ?? 'You signed out',
  'consent.given': ({ app }) => `You allowed ${app} to act for you`,
  'consent.denied': ({ app }) => `You did not allow ${app} to act for you`,
  'consent.revoked': ({ app, by }) =>
    `${by === 'browser' ? 'You' : 'An administrator'} took back what ${app} was allowed`,
  'user.password_changed': () => 'You changed your password; every other browser was signed out',
  'user.password_set': () => 'An administrator set a new password for you',
  'user.password_link_created': () => 'A link was made with which you can choose a password',
  'user.password_chosen': () => 'You chose a password with a one-time link',
  'user.email_verified': () => 'Your e-mail address was verified',
  'user.email_unverified': () => 'Your e-mail address is not verified any more',
  'user.created': () => 'Your account was created',
  'user.updated': () => 'An administrator changed your account',
  'user.disabled': () => 'An administrator stopped your account',
  'role.assigned': ({ role }) => `You were given the role ${role}`,
  'role.unassigned': ({ role }) => `The role ${role} was taken from you`,
  'api_key.created': ({ key, by }) => `${who(by)} minted the API key ${key}${by === 'browser' ? '' : ' in your name'}`,
  'api_key.updated': ({ key, by }) => `${who(by)} changed the API key ${key}`,
  'api_key.rotated': ({ key, by }) => `${who(by)} made a new text of the API key ${key}`,
  'api_key.disabled': ({ key, by }) => `${who(by)} disabled the API key ${key}`,
  'api_key.enabled': ({ key, by }) => `${who(by)} enabled the API key ${key} again`,
  'api_key.revoked': ({ key, by }) => `${who(by)} revoked the API key ${key}`,
  'tokens.revoked': () => 'You were signed out everywhere, and what your apps held was ended',
  'user.data_downloaded': () => 'You downloaded your data',
  'refresh_token.reuse': ({ app }) => `The lasting connection of ${app} was used twice, as a thief would; it was ended`,
  'refresh_token.replay_refused': ({ app }) => `${app} repeated itself too often and was refused`,
  'authorization_code.reuse': ({ app }) => `A sign-in to ${app} was used twice, as a thief would; its access was ended`,
  'device_code.reuse': ({ app }) => `A sign-in to ${app} was used twice, as a thief would; its access was ended`,
};

/** The deeds that a person is told of. */
export const toldActions: readonly string[] = Object.keys(words);

// Worth a second look when it was not expected.
const alarming =
  /^(session\.refused|user\.password_(set|link_created|chosen)|role\.assigned|api_key\.(created|rotated)|[a-z_]+\.(reuse|replay_refused))$/;

export type EventInWords = {
  what: string;
  /** Whose browser or program it was; an app's is its own server. */
  by: 'browser' | 'app' | 'server' | 'administrator';
  is_alarming: boolean;
  event: RecordedEvent;
};

/** What happened to a person, in plain words, with the apps' names as people know them. */
export async function eventsInWords(
  db: Db,
  { user_id, keyNames }: { user_id: string; keyNames: ReadonlyMap<string, string> },
  events: readonly RecordedEvent[],
): Promise<EventInWords[]> {
  const names = await listClientNames(db, [...new Set(events.map(clientOf).filter((id) => id !== undefined))]);
  return events.map((event) => {
    const client_id = clientOf(event);
    const app = (client_id && names.get(client_id)) ?? client_id ?? 'an app';
    const role = String(event.details?.role ?? '');
    const key = String(event.details?.name ?? keyNames.get(event.target_id ?? '') ?? '');
    const by = whoseDeed(event, user_id);
    return {
      what: words[event.action]?.({ app, role, key, by, reason: event.reason }) ?? event.action,
      by,
      is_alarming: alarming.test(event.action),
      // Where an administrator sits is their own business.
      event: by === 'administrator' ? { ...event, address: null, user_agent: null } : event,
    };
  });
}

function whoseDeed({ actor_kind, actor_id, action }: RecordedEvent, user_id: string): EventInWords['by'] {
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
