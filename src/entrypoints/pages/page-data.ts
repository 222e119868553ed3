import type { Operation } from '../admin/index.ts';
import type { ConsolePages, NavItem } from './console/page-data.ts';
import type { ActionPage, DetailPage, FieldErrors, ListPage, MadePage } from './records/page-shapes.ts';

/** What each page says about the moment it is shown in. The same for every page. */
export type PageChrome = {
  brand: { name: string };
  request_id: string;
  /** How the person knows their account (e-mail or username); absent when nobody is signed in. */
  signed_in_as?: string | undefined;
  /** The sections of the console that they may see, and the one that the page is in; on its pages only. */
  sections?: readonly NavItem[] | undefined;
  section?: string | undefined;
  /** Relative times ("3 days ago") are counted from here. */
  now: Date;
};

/** One thing an app asks for, in the person's words (`description`) and the machine's (`name`). */
export type AskedScope = {
  name: string;
  /** What the checkbox sends as `scope` when it is ticked. */
  value: string;
  description: string;
  /** May be unticked. What is not optional is shown ticked, disabled, and is not sent. */
  optional: boolean;
  /** Marked as risky; an optional one starts unticked. */
  sensitive: boolean;
  /** This client has been allowed something before, but not this. An optional one starts unticked. */
  is_new: boolean;
  /** The person allowed it before; starts ticked. */
  already_allowed: boolean;
};

/** What an app asks for at one service; `service_name` is null for the person's own profile. */
export type AskedGroup = { service_name: string | null; scopes: readonly AskedScope[] };

/** What an app may do at one service; `service_name` is null for the person's own profile. */
export type AllowedGroup = {
  service_name: string | null;
  scopes: readonly { name: string; description: string; sensitive: boolean }[];
};

/** One row of the person's connected apps. */
export type ConnectedApp = {
  consent_id: string;
  client_name: string;
  allowed_at: Date;
  last_used_at: Date | null;
  /** null: until it is taken back */
  expires_at: Date | null;
  groups: readonly AllowedGroup[];
};

/** Sends `username`, `email`, `name`, `password` and `password_repeated`. */
export type SetupPage = {
  csrf: string;
  action: string;
  values: { username?: string | undefined; email?: string | undefined; name?: string | undefined };
  errors: FieldErrors;
  /** The rules of a password, as a sentence shown under the field. */
  password_rules?: string | undefined;
};

/** Sends `decision`: `continue` or `cancel`; the second form sends nothing but `csrf`. */
export type SelectAccountPage = {
  csrf: string;
  action: string;
  switch_account_action: string;
  client_name: string;
  /** Who is signed in; absent where the account was deleted meanwhile. */
  account?: { name: string; login: string } | undefined;
};

/** Sends `login` and `password`, or `decision=cancel`. */
export type SignInPage = {
  csrf: string;
  action: string;
  client_name?: string | undefined;
  /** What was typed before, or empty. */
  login: string;
  /** A whole sentence. It never says which of the two was wrong. */
  error?: string | undefined;
  /** A whole sentence: why no attempt counts now, whatever is typed. */
  blocked?: string | undefined;
  notice?: string | undefined;
  /** Offers the way back to the client. */
  cancel?: boolean | undefined;
};

/** Sends `decision` (`allow` or `deny`) and one `scope` for each ticked optional one. */
export type ConsentPage = {
  csrf: string;
  action: string;
  client_name: string;
  signed_in_as: string;
  /** Where "not you?" posts to (with `csrf`). */
  switch_account_action: string;
  groups: readonly AskedGroup[];
  /** null: to the device that showed the code */
  return_host: string | null;
  return_is_loopback: boolean;
  /** null: until it is taken back */
  lasts_until: Date | null;
};

/** Sends `logout=yes` for "Sign out"; without it the person stays signed in. */
export type SignOutPage = {
  client_name?: string | undefined;
  /** The provider's ready form, trusted markup, included as it is; its id is `op.logoutForm`. */
  form_html?: string | undefined;
  /** Used when there is no `form_html`. */
  csrf?: string | undefined;
  /** Used when there is no `form_html`; default: the page itself. */
  action?: string | undefined;
};

/** What became of signing out. */
export type SignedOutPage = {
  /** The app that asked, when it alone was signed out. */
  client_name?: string | undefined;
  /** Who is still signed in, having chosen to stay. */
  still_signed_in_as?: string | undefined;
};

export type ErrorPage = {
  heading: string;
  message: string;
  technical?: { error: string; description?: string | undefined } | undefined;
  status: number;
};

/** `email` may be empty. */
export type AccountPage = { name: string; email: string; administers: boolean; notice?: string | undefined };

/** Sends `current_password`, `password` and `password_repeated`. */
export type ChangePasswordPage = {
  csrf: string;
  action: string;
  errors: FieldErrors;
  /** For password managers: which account this password belongs to. */
  username: string;
  password_rules?: string | undefined;
};

/** Sends `password` and `password_repeated`. */
export type ChoosePasswordPage = {
  csrf: string;
  action: string;
  errors: FieldErrors;
  account_name: string;
  /** For password managers. */
  username: string;
};

export type ConnectedAppsPage = {
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

/** Sends nothing but `csrf`. The numbers are what dies. */
export type TakeBackPage = {
  csrf: string;
  action: string;
  client_name: string;
  refresh_families: number;
  access_tokens: number;
  sessions: number;
};

/** One browser a person is signed in with. */
export type BrowserAtWork = {
  uid: string;
  /** "Firefox on Linux" */
  device: string;
  address: string | null;
  signed_in_at: Date;
  last_seen_at: Date;
  is_this_one: boolean;
  /** Names of the apps that lose access with it. */
  apps: readonly string[];
  /** Names of the apps it let in that go on without it. */
  lasting_apps: readonly string[];
};

export type SessionsPage = {
  /** This browser first. */
  browsers: readonly BrowserAtWork[];
  /** On all pages. */
  total: number;
  /** From 1. */
  page: number;
  pages: number;
  notice?: string | undefined;
};

/** Sends nothing but `csrf`. */
export type SignOutSessionPage = { csrf: string; action: string; browser: BrowserAtWork };

/** Sends nothing but `csrf`. `apps` lose access, `lasting` keep it. */
export type SignOutOthersPage = { csrf: string; action: string; sessions: number; apps: number; lasting: number };

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

export type ActivityPage = {
  events: readonly HappenedEvent[];
  /** Where older ones begin; undefined when there are none. */
  older: string | undefined;
  /** Whether these are the newest. */
  is_first: boolean;
};

export type HomePage = {
  issuer: string;
  setup_needed: boolean;
  demo: boolean;
  signed_in_as?: string | undefined;
  administers: boolean;
  version: string;
};

/** `problem`: a whole sentence. */
export type DemoHomePage = { signed_in: boolean; csrf: string; problem?: string | undefined };

export type DemoTokensPage = {
  csrf: string;
  id_token_claims: object;
  access_token_introspection?: object | undefined;
  userinfo: object;
  /** null: not called yet */
  api_answer: object | null;
  /** How many times the tokens were renewed. */
  refreshed: number;
  notice?: string | undefined;
};

/** Sends `user_code` with `xsrf`. */
export type DeviceEnterPage = { action: string; xsrf: string; user_code: string; error?: string | undefined };

/** Sends `user_code` and `xsrf` with `confirm` or `abort`. */
export type DeviceConfirmPage = { action: string; xsrf: string; user_code: string; client_name: string };

/** `address` is what a person types on another device. */
export type DeviceShowPage = { user_code: string; qr_path: string; address: string };

export type ReferencePage = {
  issuer: string;
  audience: string;
  groups: readonly { name: string; operations: readonly Operation[] }[];
};

/** Every page there is, and what it needs. */
export type PageData = ConsolePages & {
  setup: SetupPage;
  'sign-in': SignInPage;
  'select-account': SelectAccountPage;
  consent: ConsentPage;
  'sign-out': SignOutPage;
  'signed-out': SignedOutPage;
  error: ErrorPage;
  account: AccountPage;
  'change-password': ChangePasswordPage;
  'choose-password': ChoosePasswordPage;
  'password-changed': { ended_sessions: number; ended_apps: number };
  'connected-apps': ConnectedAppsPage;
  'take-back': TakeBackPage;
  sessions: SessionsPage;
  'sign-out-session': SignOutSessionPage;
  'sign-out-others': SignOutOthersPage;
  activity: ActivityPage;
  /** Sends nothing but `csrf`; is answered with a file. */
  'own-data': { csrf: string; action: string };
  'own-key-list': ListPage;
  'own-key': DetailPage;
  'own-key-action': ActionPage;
  'own-key-made': MadePage;
  'device-enter': DeviceEnterPage;
  'device-confirm': DeviceConfirmPage;
  'device-ready': { client_name?: string | undefined };
  'device-show': DeviceShowPage;
  home: HomePage;
  reference: ReferencePage;
  'demo-home': DemoHomePage;
  'demo-tokens': DemoTokensPage;
};

/** Where pages link to. Routes are mounted under the same names. */
export const pagePaths = {
  home: '/',
  apiReference: '/admin/docs',
  account: '/account',
  console: '/console',
  connectedApps: '/account/apps',
  takeBack: (consent_id: string) => `/account/apps/${encodeURIComponent(consent_id)}/take-back`,
  sessions: '/account/sessions',
  signOutSession: (uid: string) => `/account/sessions/${encodeURIComponent(uid)}/sign-out`,
  signOutOthers: '/account/sessions/sign-out-others',
  activity: '/account/activity',
  ownData: '/account/data',
  keys: '/account/keys',
  changePassword: '/account/password',
  signOut: '/oauth/logout',
  device: '/device',
  demo: '/demo',
  demoSignIn: '/demo/sign-in',
  demoTokens: '/demo/tokens',
  demoCallApi: '/demo/call-api',
  demoRefresh: '/demo/refresh',
  demoRevoke: '/demo/revoke',
  demoSignOut: '/demo/sign-out',
} as const;
