import type { ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import type { Config } from '../config.ts';
import type { Patience } from '../platform/database/index.ts';
import type { Logger } from '../platform/logging/index.ts';
import type { Metrics } from '../platform/metrics/index.ts';
import type { Installation } from './installation.ts';

/** The parts of the app. */
export type AppDeps = {
  config: Config;
  issuer: string;
  version: string;
  installation: Installation;
  log: Logger;
  metrics: Metrics;
  /** How long the start waits for a database that is unavailable, slow or locked. */
  patience: Patience;
  /** Responses that are not sent yet. */
  inFlight: Set<ServerResponse>;
  demo?: Middleware | undefined;
};
