/** Jobs: work that is retried, or done on one node at a time, stored by pg-boss in the same PostgreSQL. */
export { type FailedJobs, listFailedJobs } from './failed-jobs.ts';
export { installJobs } from './install.ts';
export { JobSender } from './job-sender.ts';
export { type JobHandler, Jobs } from './jobs.ts';
export { type JobName, jobNames } from './queues.ts';
