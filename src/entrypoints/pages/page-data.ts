import type { Language } from '../../platform/languages/index.ts';
import type { OperationGroup } from '../admin/index.ts';
import type { AccountPages } from './account/page-data.ts';
import type { Brand } from './brand.ts';
import type { ConsentPages } from './consent/page-data.ts';
import type { ConsolePages, NavItem } from './console/page-data.ts';
import type { DevicePages } from './device/page-data.ts';
import type { FoundSection } from './docs/search.ts';
import type { Markup } from './languages/markup.ts';
import type { SignInPages } from './sign-in/page-data.ts';

/** The data that every page needs. */
export type PageChrome = {
  brand: Brand;
  language: Language;
  request_id: string;
  /** The user's account (e-mail or username); absent when no one is signed in. */
  signed_in_as?: string | undefined;
  /** The sections of the console that the user may see, and the current one; on console pages only. */
  sections?: readonly NavItem[] | undefined;
  section?: string | undefined;
  /** Whether the docs are served. */
  docs?: boolean | undefined;
  /** The present time, for relative times ("3 days ago"). */
  now: Date;
};

/** Sends `logout=yes` for "Sign out"; without it the user stays signed in. */
type SignOutPage = {
  client_name?: string | undefined;
  /** The provider's form, trusted markup, included unchanged; its id is `op.logoutForm`. */
  form_html?: string | undefined;
  /** Used when there is no `form_html`. */
  csrf?: string | undefined;
  /** Used when there is no `form_html`; default: the page itself. */
  action?: string | undefined;
};

/** The result of signing out. */
type SignedOutPage = {
  /** The app that asked, when it alone was signed out. */
  client_name?: string | undefined;
  /** The user who is still signed in after cancelling. */
  still_signed_in_as?: string | undefined;
};

type ErrorPage = {
  heading: string;
  message: string;
  /** The language of heading and message, if it is not the page's. */
  language?: string | undefined;
  technical?: { error: string; description?: string | undefined } | undefined;
  status: number;
};

type HomePage = {
  issuer: string;
  setup_needed: boolean;
  demo: boolean;
  signed_in_as?: string | undefined;
  administers: boolean;
  version: string;
};

/** `problem`: a whole sentence. */
type DemoHomePage = { signed_in: boolean; csrf: string; problem?: string | undefined };

type DemoTokensPage = {
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

/** The operations of the admin API: the matching ones, or all of them. */
type ReferencePage = { issuer: string; audience: string; q: string; groups: readonly OperationGroup[] };

/** One group of them, each with its bodies and examples. */
type ReferenceGroupPage = { audience: string; names: readonly string[]; group: OperationGroup };

/** One page of the docs; `content` is included unchanged. `headings` are its parts. */
type DocsPage = {
  title: string;
  content: Markup;
  headings: readonly { id: string; text: string }[];
  is_first: boolean;
};

/** The sections of the docs that contain a text. */
type DocsSearchPage = { q: string; found: readonly FoundSection[] };

/** All pages, and the data of each. */
export type PageData = SignInPages &
  ConsentPages &
  AccountPages &
  DevicePages &
  ConsolePages & {
    'sign-out': SignOutPage;
    'signed-out': SignedOutPage;
    error: ErrorPage;
    home: HomePage;
    'docs-page': DocsPage;
    'docs-search': DocsSearchPage;
    reference: ReferencePage;
    'reference-group': ReferenceGroupPage;
    'demo-home': DemoHomePage;
    'demo-tokens': DemoTokensPage;
  };

/** The link targets of pages. Routes are mounted under the same names. */
export const pagePaths = {
  home: '/',
  signIn: '/sign-in',
  forgotPassword: '/forgot-password',
  signUp: '/sign-up',
  docs: '/docs',
  docsSearch: '/docs/search',
  apiReference: '/admin/docs',
  apiReferenceGroup: (name: string) => `/admin/docs/${encodeURIComponent(name)}`,
  account: '/account',
  console: '/console',
  connectedApps: '/account/apps',
  revokeAccess: (consent_id: string) => `/account/apps/${encodeURIComponent(consent_id)}/revoke-access`,
  sessions: '/account/sessions',
  signOutSession: (uid: string) => `/account/sessions/${encodeURIComponent(uid)}/sign-out`,
  signOutOthers: '/account/sessions/sign-out-others',
  activity: '/account/activity',
  ownData: '/account/data',
  keys: '/account/keys',
  changePassword: '/account/password',
  changeEmail: '/account/email',
  deleteAccount: '/account/delete',
  security: '/account/security',
  mailLanguage: '/account/language',
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
