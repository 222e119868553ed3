/** One thing an app asks for, in the person's words (`description`) and the machine's (`name`). */
type AskedScope = {
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

/** Sends `decision`: `continue` or `cancel`; the second form sends nothing but `csrf`. */
type SelectAccountPage = {
  csrf: string;
  action: string;
  switch_account_action: string;
  client_name: string;
  /** Who is signed in; absent where the account was deleted meanwhile. */
  account?: { name: string; login: string } | undefined;
};

/** Sends `decision` (`allow` or `deny`) and one `scope` for each ticked optional one. */
type ConsentPage = {
  csrf: string;
  action: string;
  client_name: string;
  /** Where the client's logo is. */
  client_logo?: string | undefined;
  /** Names and logos can be chosen to mislead; this cannot. */
  client_id: string;
  /** Who says what the client is, where no operator does: the host of its metadata document, or nobody. */
  described_by: { host: string } | 'nobody' | null;
  /** Any program on the user's computer could pretend to be it. */
  is_impersonable: boolean;
  signed_in_as: string;
  /** Where "not you?" posts to (with `csrf`). */
  switch_account_action: string;
  groups: readonly AskedGroup[];
  /** What this client was allowed before and does not ask for now. */
  also_allowed: readonly AllowedGroup[];
  /** null: to the device that showed the code */
  return_host: string | null;
  return_is_loopback: boolean;
  /** null: until it is revoked */
  lasts_until: Date | null;
};

/** Every page of an interaction, and what it needs. */
export type ConsentPages = {
  'select-account': SelectAccountPage;
  consent: ConsentPage;
};
