import type { Demand } from '../../../domain/assurance/index.ts';
import type { FactorFields, FieldErrors } from '../records/page-shapes.ts';

/** Sends `username`, `email`, `name`, `password` and `password_repeated`. */
type SetupPage = {
  csrf: string;
  action: string;
  values: { username?: string | undefined; email?: string | undefined; name?: string | undefined };
  errors: FieldErrors;
};

/** Sends `login` and `password` or `email_code`, or `passkey`, or `decision=cancel`. */
type SignInPage = {
  csrf: string;
  action: string;
  client_name?: string | undefined;
  /** The address of the client's logo. */
  client_logo?: string | undefined;
  /** The previous input, or empty. */
  login: string;
  /** A whole sentence. It never says which of the two was wrong. */
  error?: string | undefined;
  /** A whole sentence: why no attempt is accepted now, whatever is typed. */
  blocked?: string | undefined;
  notice?: string | undefined;
  /** The page to reset a forgotten password. */
  forgot_password: string;
  /** The page to create an account; undefined: users cannot. */
  sign_up: string | undefined;
  /** Offers to return to the client. */
  cancel?: boolean | undefined;
  /** Whether users may sign in with a password. */
  has_password: boolean;
  /** Whether users may sign in with a code that is mailed to them. */
  has_email_code: boolean;
  /** The browser's options for any passkey of this site (JSON); undefined: passkeys are not possible. */
  passkey: string | undefined;
  /** Links to the providers that the user can sign in with. */
  providers: readonly OfferedProvider[];
  /** Whether the form may be sent without a password, to find the provider of the address. */
  has_home_realms: boolean;
  /** An account at a provider that is connected by this sign-in, sealed. */
  connect?: string | undefined;
};

/** The link to an identity provider. */
export type OfferedProvider = { label: string; href: string };

/** The reason for showing the sign-in page, and its message. */
export type SignInView = {
  action: string;
  /** Whether the user must prove all their factors: more is required, or they are signed in already. */
  asksAll?: boolean;
  /** The requirement of the app, or an API; absent: none. */
  demand?: Demand;
  client_name?: string | undefined;
  /** The address of the app's logo, which is looked up only if the page is shown. */
  clientLogo?: () => Promise<string | undefined>;
  login?: string;
  error?: string;
  blocked?: string;
  notice?: string;
  cancel?: boolean;
  connect?: string;
};

/** Sends `pending`, `remember`, and `code` or `passkey`, or `decision=cancel`. */
type SecondStepPage = FactorFields &
  Pick<SignInPage, 'csrf' | 'action' | 'client_name' | 'cancel' | 'error' | 'blocked' | 'connect'> & {
    /** The state of the sign-in so far, sealed. */
    pending: string;
    /** For how many days the second factor can be skipped in this browser; undefined: it cannot. */
    remember_days: number | undefined;
  };

/** Sends `mailed` and `code`, or `decision=cancel`. */
type EmailCodePage = Pick<SignInPage, 'csrf' | 'action' | 'client_name' | 'cancel' | 'error' | 'blocked'> & {
  /** The code that was requested, sealed. */
  mailed: string;
  /** The address to request another one. */
  again: string;
};

/** Sends `enrolment` for a link, or `decision=cancel`. */
type EnrolmentRequiredPage = Pick<SignInPage, 'csrf' | 'action' | 'client_name' | 'cancel' | 'blocked'> & {
  /** The user who entered their password, sealed. */
  enrolment: string;
  /** `ask`: no link can be mailed to the user. */
  state: 'offer' | 'sent' | 'ask';
  is_passkey_only: boolean;
};

/** Sends `password`, `pending`, and `passkey` or `code`. */
type EnrolmentPage = {
  csrf: string;
  action: string;
  errors: FieldErrors;
  account_name: string;
  /** The username, for password managers. */
  username: string;
  /** Whether the form asks for the password. */
  has_password: boolean;
  /** Whether the user must first sign in with their provider in this browser. */
  must_sign_in: boolean;
  /** The key of the authenticator app, sealed. */
  pending: string;
  /** The passkey that the browser makes (JSON); undefined: there can be none. */
  passkey: string | undefined;
  /** The key as a picture to scan (SVG); undefined: an app is not enough. */
  picture: string | undefined;
  /** The key to type. */
  key: string;
};

/** Sends `password` and `password_repeated`. */
type ChoosePasswordPage = {
  csrf: string;
  action: string;
  errors: FieldErrors;
  account_name: string;
  /** The username, for password managers. */
  username: string;
};

/** Sends `login`. */
type ForgotPasswordPage = {
  csrf: string;
  action: string;
  /** The previous input, or empty. */
  login: string;
  error?: string | undefined;
  blocked?: string | undefined;
  /** The sign-in page: here, or in the request of an app. */
  sign_in: string;
  /** `sent`: shown for every login, known or not. */
  state: 'form' | 'sent' | 'no-mail';
};

/** Sends `email`. */
type SignUpPage = {
  csrf: string;
  action: string;
  /** The previous input, or empty. */
  email: string;
  error?: string | undefined;
  blocked?: string | undefined;
  /** The sign-in page: here, or in the request of an app. */
  sign_in: string;
  /** Shown for every address, known or not. */
  is_sent: boolean;
};

/** Sends `username`, `name`, `password` and `password_repeated`. */
type NewAccountPage = {
  csrf: string;
  action: string;
  /** The verified address of the account. */
  email: string;
  values: { username: string; name: string };
  errors: FieldErrors;
};

/** The sign-in pages, and the data of each. */
export type SignInPages = {
  setup: SetupPage;
  'sign-in': SignInPage;
  'second-step': SecondStepPage;
  'email-code': EmailCodePage;
  'enrolment-required': EnrolmentRequiredPage;
  enrolment: EnrolmentPage;
  'choose-password': ChoosePasswordPage;
  'forgot-password': ForgotPasswordPage;
  'sign-up': SignUpPage;
  'new-account': NewAccountPage;
};
