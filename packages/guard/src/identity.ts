/** What a route requires of its caller. */
export type Need = {
  /** One permission, or several that are all required, such as `database:read:products`. */
  permission?: string | readonly string[];
  /** How much of the limits of an API key it takes; 1. */
  cost?: number;
  /** What the restrictions of an API key look at, by name: `{ template: 'welcome' }`. */
  parameters?: Record<string, string | string[]>;
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
};
