import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import {
  checked,
  methodNotAllowed,
  Problem,
  parseJson,
  readText,
  requestOrigin,
  unavailable,
} from '../../platform/http/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { type LeakDeps, reportLeak } from './leaks.ts';
import { ScannerKeys, type ScannerKeysOptions } from './scanner-keys.ts';

export const secretScanningPath = '/secret-scanning';

const text = (most: number) => z.string().max(most);

/** GitHub's secret scanning partner format: https://docs.github.com/code-security/secret-scanning/secret-scanning-partner-program */
const Reports = z
  .array(
    z.object({
      token: text(8192).min(1),
      type: text(100),
      url: text(2000).nullish(),
      source: text(100).nullish(),
    }),
  )
  .max(500);

type Answer = { token_raw: string; token_type: string; label: 'true_positive' | 'false_positive' };

export type SecretScanningDeps = LeakDeps & { scanner: Omit<ScannerKeysOptions, 'now'>; log: Logger };

/** Answers `POST /secret-scanning`: reports of leaked credentials, signed by their scanner. */
export function secretScanning({ scanner, log, ...deps }: SecretScanningDeps): Middleware {
  const keys = new ScannerKeys({ ...scanner, now: deps.now });
  const oneByOne = inTurn();
  return async (ctx, next) => {
    if (ctx.path !== secretScanningPath) return next();
    if (ctx.method !== 'POST') throw methodNotAllowed(ctx.method, 'POST');
    ctx.set('Cache-Control', 'no-store');
    const body = await readText(ctx.req);
    await mustBeSigned(ctx, keys, { body, log });
    const answers: Answer[] = [];
    for (const { token, type, url, source } of checked(Reports, parseJson(body))) {
      const report = { token, type, url: url ?? undefined, source: source ?? undefined };
      const isLive = await oneByOne(() => reportLeak(deps, requestOrigin(ctx), report));
      answers.push({ token_raw: token, token_type: type, label: isLive ? 'true_positive' : 'false_positive' });
    }
    ctx.body = answers;
    return undefined;
  };
}

/**
 * Runs the given functions one after the other. A report holds a connection while it waits for another of the same credential, and needs a
 * second one: many at once would wait for each other until the pool times out.
 */
function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

async function mustBeSigned(
  ctx: Context,
  keys: ScannerKeys,
  { body, log }: { body: string; log: Logger },
): Promise<void> {
  const id = ctx.get('Github-Public-Key-Identifier');
  const signature = ctx.get('Github-Public-Key-Signature');
  if (id === '' || signature === '') throw unsigned('Sign the body, and name the key.');
  const isSigned = await keys.signed(body, { id, signature }).catch((error: unknown) => {
    log.error({ err: error }, 'the keys of the secret scanner cannot be fetched');
    throw unavailable();
  });
  if (!isSigned) throw unsigned('The signature is not the scanner’s signature of this body.');
}

function unsigned(detail: string): Problem {
  return new Problem(401, 'invalid_signature', { title: 'Not signed', detail });
}
