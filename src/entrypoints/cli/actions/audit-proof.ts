import { createWriteStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { eraseAddresses } from '../../../domain/access-records/index.ts';
import {
  type AuditFault,
  countPrunable,
  erasePersonalDetails,
  exportAudit,
  type PublicKeys,
  publicKeyOf,
  removeSegmentsBefore,
  sealKeys,
  verifyAudit,
  verifyExport,
} from '../../../domain/audit/index.ts';
import { getUser } from '../../../domain/users/index.ts';
import { openDatabase } from '../../../platform/database/index.ts';
import { invalid } from '../../../platform/http/index.ts';
import { action, type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed, Moment, parsed } from './input.ts';
import { answer, note } from './output.ts';

type Json = { json?: boolean };
type Range = { from?: string; to?: string };
type VerifyOptions = Json & Range & { head?: string; file?: string; keys?: string };

/** A chain head in the notation of the log: `1204:3d0c…`. */
export const Head = z
  .string()
  .regex(/^\d+:[0-9a-f]{64}$/, 'must be a number, a colon and 64 hex digits, as the log has them')
  .transform((text) => ({ number: Number(text.split(':')[0]), head: text.split(':')[1] ?? '' }));

const rangeOf = ({ from, to }: Range) => ({
  from: parsed(Moment.optional(), from, '--from'),
  to: parsed(Moment.optional(), to, '--to'),
});

/** A file is verified without an installation. */
export function verifyThere(options: VerifyOptions, self: Command): Promise<void> {
  const here = (place: CommandContext, wanted: VerifyOptions, _: Command) => verify(place, wanted);
  return options.file ? action(verifyFile)(options) : onInstallation(here)(options, self);
}

async function verify({ deps }: CommandContext, options: VerifyOptions): Promise<void> {
  const head = parsed(Head.optional(), options.head, '--head');
  const { fault, ...verified } = await verifyAudit(deps, { ...rangeOf(options), head });
  const { events, segments, unsealed } = verified;
  const waiting = unsealed > 0 ? ` ${unsealed} wait for their seal.` : '';
  answer(options, { ok: !fault, ...verified, ...(fault && { fault }) }, [
    ...(fault ? [sentenceOf(fault)] : []),
    `${fault ? 'Before that, ' : ''}${events} events in ${segments} segments are as they were sealed.${waiting}`,
    `Head: ${verified.head.number}:${verified.head.head}`,
  ]);
  if (fault) process.exitCode = 1;
}

async function verifyFile(options: VerifyOptions): Promise<void> {
  if (!options.keys) throw invalid('', 'Name the public keys with --keys: `latchkey audit keys --json` prints them.');
  if (options.from || options.to) throw invalid('', 'A file is proved as a whole: leave out the range.');
  const noted = parsed(Head.optional(), options.head, '--head');
  const publicKeys = await publicKeysIn(options.keys);
  const file = await open(options.file ?? '').catch(unreadable);
  const { fault, start: _, ...verified } = await verifyExport(file.readLines(), publicKeys, { head: noted });
  const { head, events, segments } = verified;
  answer(options, { ok: !fault, ...verified, ...(fault && { fault }) }, [
    ...(fault ? [`Line ${fault.line}: ${sentenceOf(fault)}`] : []),
    `${fault ? 'Before that, ' : ''}${events} events in ${segments} segments are as they were sealed.`,
    ...(head ? [`Head: ${head.number}:${head.head}`] : []),
  ]);
  if (fault) process.exitCode = 1;
}

const Jwks = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.literal('OKP') })) });

/** The keys in a file that `latchkey audit keys --json` printed. @throws Problem `invalid` */
export async function publicKeysIn(file: string): Promise<PublicKeys> {
  const { keys } = parsed(Jwks, jsonOf(await readFile(file, 'utf8').catch(unreadable)), '--keys');
  return new Map(keys.map((jwk) => [jwk.kid, publicKeyOf(jwk)]));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('', 'The file of --keys is not JSON: `latchkey audit keys --json` prints it.');
  }
}

function unreadable(error: NodeJS.ErrnoException): never {
  throw invalid('', `Cannot read ${error.path}: ${error.code}.`);
}

function sentenceOf({ kind, event_id, segment, detail }: Omit<AuditFault, 'segment'> & { segment?: number }): string {
  const where = segment === undefined ? '' : ` in segment ${segment}`;
  const what = event_id ? `event ${event_id}` : 'the log';
  return kind === 'seal'
    ? `The seal of segment ${segment} is broken: ${detail}.`
    : `${what}${where} was ${kind}: ${detail}.`;
}

export const keys = onInstallation(async ({ deps }: CommandContext, options: Json) => {
  const jwks = { keys: (await sealKeys(deps.keys)).map(({ public_jwk }) => public_jwk) };
  answer(options, jwks, [JSON.stringify(jwks, undefined, 2)]);
});

export const exportLog = onInstallation(async ({ deps, actor }: CommandContext, options: Range & { out?: string }) => {
  const out: Writable = options.out ? createWriteStream(options.out, { mode: 0o600 }) : process.stdout;
  const counted = { events: 0 };
  await pipeline(counting(exportAudit(deps, actor, rangeOf(options)), counted), out, {
    end: options.out !== undefined,
  });
  const { events } = counted;
  note(`${events} events exported.`);
});

async function* counting(chunks: AsyncIterable<string>, counted: { events: number }): AsyncGenerator<string> {
  for await (const chunk of chunks) {
    counted.events += chunk.split('{"type":"event",').length - 1;
    yield chunk;
  }
}

type PruneOptions = Json & { before: string; dryRun?: boolean; yes?: boolean };

export const prune = onInstallation(
  async ({ config, installation, deps, actor }: CommandContext, options: PruneOptions) => {
    const before = parsed(Moment, options.before, '--before');
    const planned = await countPrunable(deps.db, before);
    const question = `Remove ${planned.events} events in ${planned.segments} segments sealed before ${before.toISOString()}?`;
    if (options.dryRun || !(await isConfirmed(question, { ...options, scripts: 'need --yes' }))) {
      answer(options, { dry_run: true, before, ...planned }, [
        `Would remove ${planned.events} events in ${planned.segments} segments.`,
      ]);
      return;
    }
    // The serving role cannot delete events.
    const owning = config.migrateDatabaseUrl ?? installation.databaseUrl;
    const owner = openDatabase({ url: owning, poolSize: 1, preparedStatements: config.preparedStatements });
    try {
      const removed = await removeSegmentsBefore({ ...deps, db: owner.db }, actor, before);
      answer(options, { dry_run: false, before, ...removed }, [
        `Removed ${removed.events} events in ${removed.segments} segments.`,
      ]);
    } finally {
      await owner.close();
    }
  },
  { before: '--before' },
);

export const eraseDetails = onInstallation(
  async ({ deps, actor }: CommandContext, reference: string, options: Json & { yes?: boolean }) => {
    const user = await getUser(deps.db, reference);
    const question = `Erase address and user agent from all audit events and access records of ${user.username}?`;
    if (!(await isConfirmed(question, { ...options, scripts: 'continue' }))) return;
    const { erased } = await erasePersonalDetails(deps, actor, { kind: 'user', id: user.id });
    const access_records = await eraseAddresses(deps.db, user.id);
    answer(options, { username: user.username, erased, access_records }, [
      `Erased them from ${erased} events and ${access_records} access records.`,
    ]);
  },
);
