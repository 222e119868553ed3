import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { AccessRecords } from '../access-records/index.ts';
import { KeyVerifier } from '../api-keys/index.ts';
import { type BearerDeps, bearerOf, judgeToken, type ShownToken } from '../oidc/index.ts';
import type { ChangeFeed, Db } from '../platform/database/index.ts';
import type { Logger } from '../platform/logging/index.ts';
import { forwardAuth } from './forward-auth.ts';
import { verify } from './verify.ts';
import { WarmKeys, type WarmKeysDeps } from './warm-keys.ts';

export type GatewayDeps = {
  db: Db;
  changes: ChangeFeed;
  now: () => Date;
  log: Logger;
  /** Where it is kept what was asked about. */
  records: AccessRecords;
  /** What access tokens are judged with. */
  bearers: BearerDeps;
  /** Of Latchkey's own API: for which those must be who may ask. */
  audience: string;
  warm: Pick<WarmKeysDeps, 'contextOf' | 'headers' | 'host' | 'longWay' | 'observe'>;
  config: { apiKeyEnvironments: readonly string[]; apiKeyLimits: 'memory' | 'shared' };
};

export type OpenGateway = {
  /** Answers at once if it can; otherwise nothing has happened. */
  answer: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Answers proxies, also about hosts that are not this one's: comes before the host is checked. */
  forProxies: Middleware;
  /** Answers services. */
  forServices: Middleware;
  close: () => Promise<void>;
};

/** Opens the gateway: what it remembers of keys, and counts, lives as long as it does. */
export function openGateway({ bearers, config, warm, ...deps }: GatewayDeps): OpenGateway {
  const { apiKeyEnvironments: environments, apiKeyLimits: limits } = config;
  const keys = new KeyVerifier({ ...deps, environments, limits });
  const judging = { keys, records: deps.records, judgeToken: (shown: ShownToken) => judgeToken(bearers, shown) };
  const ofCaller = (ctx: Context, audience: string) => bearerOf(bearers, ctx, audience);
  const warmKeys = new WarmKeys({ ...deps, ...warm, keys });
  return {
    answer: (request, response) => warmKeys.answer(request, response),
    forProxies: forwardAuth(judging),
    forServices: verify({ ...deps, ...judging, bearerOf: ofCaller }),
    close: () => keys.close(),
  };
}
