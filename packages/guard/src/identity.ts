/** The requirements of a route. */
export type Need = {
  /** One permission, or several that are all required, such as `database:read:products`. */
  permission?: string | readonly string[];
  /** How much the request uses of the limits of an API key; 1. */
  cost?: number;
  /** The parameters that the restrictions of an API key check, by name: `{ template: 'welcome' }`. */
  parameters?: Record<string, string | string[]>;
  /** How the user must have authenticated (RFC 9470): classes separated by spaces, any of which, or a stronger one, is enough. */
  acr_values?: string;
  /** The maximum number of seconds since the user authenticated. */
  max_age?: number;
};

/** The caller, as Latchkey identified it. */
export type Identity = {
  /** A user's id, or the `client_id` of a service. */
  subject: string;
  subject_kind: 'user' | 'client';
  client_id?: string | undefined;
  credential: 'api_key' | 'access_token';
  /** The environment of an API key. */
  key_id?: string | undefined;
  environment?: string | undefined;
  permissions: readonly string[];
  expires_at?: Date | undefined;
  /** For a user's access token: how they authenticated, and when, in seconds since 1970. */
  acr?: string | undefined;
  auth_time?: number | undefined;
};
