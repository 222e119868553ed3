import type { Queue } from 'pg-boss';

type Definition = Omit<Queue, 'name'> & { cron?: string };

/** Every kind of job there is, how it is retried, and when it comes by itself. */
export const queues = {
  // Eleven deliveries over about a day, each later than the one before.
  'backchannel-logout': {
    retryLimit: 10,
    retryDelay: 5,
    retryBackoff: true,
    retryDelayMax: 21_600,
    retentionSeconds: 172_800,
  },
  // An alarm clock: what is due stands in the cursor, and is looked for in any case.
  'webhook-retry': { retryLimit: 0, retentionSeconds: 172_800 },
  // Nine attempts over about six hours; the link in it is good for three days.
  mail: { retryLimit: 8, retryDelay: 15, retryBackoff: true, retryDelayMax: 7200, retentionSeconds: 172_800 },
  // Who asked for a link to choose a password: looked up here, so that a request says nothing about accounts.
  recovery: { retryLimit: 5, retryDelay: 2, retryBackoff: true, retryDelayMax: 60, retentionSeconds: 3600 },
  // Who asked for an account: looked up here for the same reason.
  'sign-up': { retryLimit: 5, retryDelay: 2, retryBackoff: true, retryDelayMax: 60, retentionSeconds: 3600 },
  // Who asked for a code to sign in with: the same. It counts for ten minutes.
  'sign-in-code': { retryLimit: 5, retryDelay: 2, retryBackoff: true, retryDelayMax: 60, retentionSeconds: 3600 },
  // `singleton`: one at a time, whichever node it runs on.
  'remove-expired': { policy: 'singleton', retryLimit: 0, expireInSeconds: 600, cron: '* * * * *' },
  'fetch-client-logos': { policy: 'singleton', retryLimit: 0, expireInSeconds: 300, cron: '* * * * *' },
  // Sent by a rotation, and looked for in case that its node ended.
  'rewrap-secrets': { policy: 'singleton', retryLimit: 3, retryDelay: 30, expireInSeconds: 900, cron: '*/10 * * * *' },
  'roll-up-activity': { policy: 'singleton', retryLimit: 0, expireInSeconds: 120, cron: '* * * * *' },
} as const satisfies Record<string, Definition>;

export type JobName = keyof typeof queues;

export const jobNames = Object.keys(queues) as JobName[];

/** How often each is looked for where PostgreSQL cannot tell of new ones. What comes every minute may wait a few seconds. */
export const pollSeconds: Readonly<Record<JobName, number>> = {
  'backchannel-logout': 1,
  'webhook-retry': 2,
  mail: 2,
  recovery: 1,
  'sign-up': 1,
  'sign-in-code': 1,
  'remove-expired': 5,
  'fetch-client-logos': 5,
  'rewrap-secrets': 5,
  'roll-up-activity': 5,
};

/** How often each is looked for where PostgreSQL tells of new ones: it tells of none that has to wait, such as a retry. */
export const retryPollSeconds: Readonly<Record<JobName, number>> = {
  'backchannel-logout': 5,
  'webhook-retry': 2,
  mail: 10,
  recovery: 10,
  'sign-up': 10,
  'sign-in-code': 10,
  'remove-expired': 30,
  'fetch-client-logos': 30,
  'rewrap-secrets': 5,
  'roll-up-activity': 30,
};
