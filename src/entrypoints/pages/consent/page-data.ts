import type { Provenance } from '../../../domain/clients/index.ts';

/** One scope that an app requests, in words for the user (`description`) and by its name (`name`). */
type AskedScope = {
  name: string;
  /** The value of `scope` that the ticked checkbox sends. */
  value: string;
  description: string;
  /** May be unticked. A required one is shown ticked, disabled, and is not sent. */
  optional: boolean;
  /** Marked as risky; an optional one starts unticked. */
  sensitive: boolean;
  /** New for this client, which was allowed something before. An optional one starts unticked. */
  is_new: boolean;
  /** The user allowed it before; starts ticked. */
  already_allowed: boolean;
};

/** The scopes that an app requests at one service; `service_name` is null for the user's own profile. */
export type AskedGroup = { service_name: string | null; scopes: readonly AskedScope[] };

/** The scopes that an app has at one service; `service_name` is null for the user's own profile. */
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
  /** The signed-in user; absent if the account was deleted meanwhile. */
  account?: { name: string; login: string } | undefined;
};

/** Sends `decision` (`allow` or `deny`) and one `scope` for each ticked optional one. */
type ConsentPage = {
  csrf: string;
  action: string;
  client_name: string;
  /** The address of the client's logo. */
  client_logo?: string | undefined;
  /** The id of the client, shown unless it registered itself: then the id is random and identifies no one. */
  client_id: string;
  /** The source of the client's description; undefined: an operator. */
  provenance: Provenance | undefined;
  /** Any program on the user's computer can claim to be it. */
  is_impersonable: boolean;
  signed_in_as: string;
  /** The target of the "not you?" form (with `csrf`). */
  switch_account_action: string;
  groups: readonly AskedGroup[];
  /** What this client was allowed before and does not request now. */
  also_allowed: readonly AllowedGroup[];
  /** null: to the device that showed the code */
  return_host: string | null;
  return_is_loopback: boolean;
  /** null: until it is revoked */
  lasts_until: Date | null;
};

/** The pages of an interaction, and the data of each. */
export type ConsentPages = {
  'select-account': SelectAccountPage;
  consent: ConsentPage;
};
