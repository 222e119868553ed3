/** What is counted: kinds of requests, and `session`, the number of active sessions. */
export const activityKinds = [
  'token',
  'sign_in',
  'api_key',
  'verification',
  'introspection',
  'userinfo',
  'exchange',
  'session',
] as const;

export type ActivityKind = (typeof activityKinds)[number];

/** Whether a request was allowed. A token that introspection reports as inactive was refused. */
export const activityOutcomes = ['allowed', 'refused'] as const;

export type ActivityOutcome = (typeof activityOutcomes)[number];

/** The audit events that are counted, and their kind and outcome. A refused token exchange has an access record and no event of its own. */
export const countedActions: Readonly<Record<string, readonly [ActivityKind, ActivityOutcome]>> = {
  'access_token.issued': ['token', 'allowed'],
  'refresh_token.rotated': ['token', 'allowed'],
  'refresh_token.replayed': ['token', 'allowed'],
  'authorization_code.reuse': ['token', 'refused'],
  'client.refused': ['token', 'refused'],
  'device_code.reuse': ['token', 'refused'],
  'refresh_token.replay_refused': ['token', 'refused'],
  'refresh_token.reuse': ['token', 'refused'],
  'session.started': ['sign_in', 'allowed'],
  'session.refused': ['sign_in', 'refused'],
};

/** The period lengths for which counts are kept, in seconds, and for how many days. */
export const keptSteps = [
  { step_seconds: 300, kept_days: 2 },
  { step_seconds: 3600, kept_days: 400 },
] as const;
