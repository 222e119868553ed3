import type { Queue } from 'pg-boss';

type Definition = Omit<Queue, 'name'> & { cron?: string };

/** All kinds of jobs, with their retries and schedules. */
export const queues = {
  // Eleven deliveries over about a day, each later than the one before.
  'backchannel-logout': {
    retryLimit: 10,
    retryDelay: 5,
    retryBackoff: true,
    retryDelayMax: 21_600,
    retentionSeconds: 172_800,
  },
  // A trigger only: the due events are found by the cursor, and looked for in any case.
  'webhook-retry': { retryLimit: 0, retentionSeconds: 172_800 },
  // Nine attempts over about six hours; the link in it is valid for three days.
  mail: { retryLimit: 8, retryDelay: 15, retryBackoff: true, retryDelayMax: 7200, retentionSeconds: 172_800 },
  // A request for a link to choose a password: looked up in the job, so that the response reveals nothing about accounts.
  recovery: { retryLimit: 5, retryDelay: 2, retryBackoff: true, retryDelayMax: 60, retentionSeconds: 3600 },
  // A request for an account: looked up in the job for the same reason.
  'sign-up': { retryLimit: 5, retryDelay: 2, retryBackoff: true, retryDelayMax: 60, retentionSeconds: 3600 },
  // A request for a sign-in code: looked up in the job, too. The code is valid for ten minutes.
  'sign-in-code': { retryLimit: 5, retryDelay: 2, retryBackoff: true, retryDelayMax: 60, retentionSeconds: 3600 },
  // `singleton`: one at a time, whichever node it runs on.
  'remove-expired': { policy: 'singleton', retryLimit: 0, expireInSeconds: 600, cron: '* * * * *' },
  'fetch-client-logos': { policy: 'singleton', retryLimit: 0, expireInSeconds: 300, cron: '* * * * *' },
  // Sent by a rotation, and looked for in case its node was stopped.
  'rewrap-secrets': { policy: 'singleton', retryLimit: 3, retryDelay: 30, expireInSeconds: 900, cron: '*/10 * * * *' },
  'roll-up-activity': { policy: 'singleton', retryLimit: 0, expireInSeconds: 120, cron: '* * * * *' },
} as const satisfies Record<string, Definition>;

export type JobName = keyof typeof queues;

export const jobNames = Object.keys(queues) as JobName[];

/** How often each queue is polled where PostgreSQL cannot notify of new jobs. Those that come every minute may wait a few seconds. */
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

/** How often each queue is polled where PostgreSQL notifies of new jobs: it does not for jobs with a delay, such as a retry. */
export const retryPollSeconds: Readonly<Record<JobName, number>> = {
  'backchannel-logout': 5,
  'webhook-retry': 5,
  mail: 10,
  recovery: 10,
  'sign-up': 10,
  'sign-in-code': 10,
  'remove-expired': 30,
  'fetch-client-logos': 30,
  'rewrap-secrets': 5,
  'roll-up-activity': 30,
};
