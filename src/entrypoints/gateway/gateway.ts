import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { AccessRecords } from '../../domain/access-records/index.ts';
import type { KeyVerifier } from '../../domain/api-keys/index.ts';
import type { Db } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { type BearerDeps, bearerOf, judgeToken, type ShownToken } from '../oauth/index.ts';
import { WarmKeys, type WarmKeysDeps } from './cached-verdicts.ts';
import { forwardAuth } from './forward-auth.ts';
import { verify } from './verify.ts';

export type GatewayDeps = {
  db: Db;
  now: () => Date;
  /** What it remembers of keys, and counts. */
  keys: KeyVerifier;
  /** Where it is kept what was asked about. */
  records: AccessRecords;
  /** What access tokens are judged with. */
  bearers: BearerDeps;
  /** Of Latchkey's own API: for which those must be who may ask. */
  audience: string;
  log: Logger;
  warm: Pick<WarmKeysDeps, 'edge' | 'headers' | 'host' | 'longWay' | 'observe'>;
};

export type Gateway = {
  /** Answers at once if it can; otherwise nothing has happened. */
  answer: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Answers proxies, also about hosts that are not this one's: comes before the host is checked. */
  forProxies: Middleware;
  /** Answers services. */
  forServices: Middleware;
};

/** The gateway: its entrances for proxies and services. */
export function gateway({ bearers, warm, ...deps }: GatewayDeps): Gateway {
  const { keys } = deps;
  const { issuer } = bearers;
  const judging = {
    issuer,
    keys,
    now: deps.now,
    records: deps.records,
    judgeToken: (shown: ShownToken) => judgeToken(bearers, shown),
  };
  const ofCaller = (ctx: Context, audience: string) => bearerOf(bearers, ctx, audience);
  const warmKeys = new WarmKeys({ ...deps, ...warm, issuer });
  return {
    answer: (request, response) => warmKeys.answer(request, response),
    forProxies: forwardAuth(judging),
    forServices: verify({ ...deps, ...judging, bearerOf: ofCaller }),
  };
}
