import type { Provenance } from '../../../domain/clients/index.ts';
import type { AllowedGroup } from '../consent/page-data.ts';
import type { ActionPage, AskedProof, DetailPage, FieldErrors, ListPage, MadePage } from '../records/page-shapes.ts';

/** One row of a user's connected apps. */
type ConnectedApp = {
  consent_id: string;
  client_name: string;
  provenance: Provenance | undefined;
  /** The address of its logo; undefined: it has none. */
  logo?: string | undefined;
  allowed_at: Date;
  last_used_at: Date | null;
  /** null: until it is revoked */
  expires_at: Date | null;
  groups: readonly AllowedGroup[];
};

/** `email` may be empty. */
type AccountPage = { name: string; email: string; administers: boolean; notice?: string | undefined };

/** Sends `current_password`, `password` and `password_repeated`. */
type ChangePasswordPage = {
  csrf: string;
  action: string;
  errors: FieldErrors;
  /** For password managers: which account this password belongs to. */
  username: string;
  /** A second factor that the user has; undefined: none, or it was proved a short while ago. */
  proof: AskedProof | undefined;
};

/** Sends `language`: one of these, or nothing for the one last used. */
type MailLanguagePage = {
  csrf: string;
  action: string;
  /** The chosen one; empty: none. */
  chosen: string;
  options: readonly { value: string; name: string }[];
  /** The own name of the language that is used if none is chosen. */
  automatic: string;
  notice?: string | undefined;
};

type ConnectedAppsPage = {
  csrf: string;
  apps: readonly ConnectedApp[];
  notice?: string | undefined;
  q: string;
  sort: 'name' | 'allowed_at' | 'last_used_at';
  /** From 1. */
  page: number;
  pages: number;
  /** Apps that match `q`, on all pages. */
  total: number;
};

/** Sends nothing but `csrf`. The numbers are what will be revoked. */
type RevokeAccessPage = {
  csrf: string;
  action: string;
  client_name: string;
  provenance: Provenance | undefined;
  refresh_families: number;
  access_tokens: number;
  sessions: number;
};

/** One session of a user. */
export type ShownSession = {
  uid: string;
  /** "Firefox on Linux" */
  device: string;
  address: string | null;
  signed_in_at: Date;
  last_seen_at: Date;
  is_this_one: boolean;
  /** Names of the apps that lose access with it. */
  apps: readonly string[];
  /** Names of the apps that keep their access without it. */
  lasting_apps: readonly string[];
};

type SessionsPage = {
  /** This browser's first. */
  sessions: readonly ShownSession[];
  /** The number on all pages. */
  total: number;
  /** From 1. */
  page: number;
  pages: number;
  notice?: string | undefined;
};

/** Sends nothing but `csrf`. */
type SignOutSessionPage = { csrf: string; action: string; session: ShownSession };

/** Sends nothing but `csrf`. `apps` lose access, `lasting` keep it. */
type SignOutOthersPage = { csrf: string; action: string; sessions: number; apps: number; lasting: number };

export type HappenedEvent = {
  /** A whole sentence without its full stop. */
  what: string;
  is_alarming: boolean;
  /** The last of its `times`; `first_at` is the first. */
  occurred_at: Date;
  first_at: Date;
  times: number;
  device: string;
  address: string | null;
};

type ActivityPage = {
  events: readonly HappenedEvent[];
  /** Where older ones begin; undefined when there are none. */
  older: string | undefined;
  /** Whether these are the newest. */
  is_first: boolean;
};

/** The pages of a user's own account, and the data of each. */
export type AccountPages = {
  account: AccountPage;
  'change-password': ChangePasswordPage;
  'mail-language': MailLanguagePage;
  'password-changed': { ended_sessions: number; ended_apps: number };
  'connected-apps': ConnectedAppsPage;
  'revoke-access': RevokeAccessPage;
  sessions: SessionsPage;
  'sign-out-session': SignOutSessionPage;
  'sign-out-others': SignOutOthersPage;
  activity: ActivityPage;
  /** Sends nothing but `csrf`; is answered with a file. */
  'own-data': { csrf: string; action: string };
  'own-account-action': ActionPage;
  /** Sends nothing but `csrf`. `email`: the address of the account afterwards. */
  'email-link': { csrf: string; action: string; email: string; state: 'confirm' | 'undo' | 'undone' };
  'own-security': DetailPage;
  'own-security-action': ActionPage;
  'own-security-made': MadePage;
  'own-key-list': ListPage;
  'own-key': DetailPage;
  'own-key-action': ActionPage;
  'own-key-made': MadePage;
};
