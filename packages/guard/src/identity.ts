/** What a route requires of its caller. */
export type Need = {
  /** One permission, or several that are all required, such as `database:read:products`. */
  permission?: string | readonly string[];
  /** How much of the limits of an API key it takes; 1. */
  cost?: number;
  /** What the restrictions of an API key look at, by name: `{ template: 'welcome' }`. */
  parameters?: Record<string, string | string[]>;
  /** How the user must have authenticated (RFC 9470): classes separated by spaces, any of which, or a stronger one, is enough. */
  acr_values?: string;
  /** At most how many seconds ago the user authenticated. */
  max_age?: number;
};

/** Who calls, as Latchkey knows them. */
export type Identity = {
  /** A person's id, or the `client_id` of a service. */
  subject: string;
  subject_kind: 'user' | 'client';
  client_id?: string | undefined;
  credential: 'api_key' | 'access_token';
  /** Of an API key. */
  key_id?: string | undefined;
  environment?: string | undefined;
  permissions: readonly string[];
  expires_at?: Date | undefined;
  /** Of a user's access token: how they authenticated, and when, in seconds since 1970. */
  acr?: string | undefined;
  auth_time?: number | undefined;
};
