import { createWriteStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { eraseAddresses } from '../../domain/access-records/index.ts';
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
} from '../../domain/audit/index.ts';
import { getUser } from '../../domain/users/index.ts';
import { openDatabase } from '../../platform/database/index.ts';
import { invalid } from '../../platform/http/index.ts';
import { action, command, onInstallation, type Workplace } from './command.ts';
import { isConfirmed, Moment, parsed } from './input.ts';
import { answer, note } from './output.ts';

type Json = { json?: boolean };
type Range = { from?: string; to?: string };
type VerifyOptions = Json & Range & { head?: string; file?: string; keys?: string };

/** The commands that prove the audit log, hand it on, and let its oldest part go. */
export function proofCommands(): Command[] {
  return [
    ranged(command('verify', 'prove that no event was changed, removed, inserted or reordered; exit code 1 if one was'))
      .option('--head <number:head>', 'a chain head noted elsewhere, which must still stand')
      .option('--file <file>', 'prove an export, without a database')
      .option('--keys <file>', 'what `latchkey audit keys --json` printed; needed with --file')
      .action((options: VerifyOptions, self: Command) => verifyThere(options, self)),
    command('keys', 'print the public keys that prove the log elsewhere').action(onInstallation(keys)),
    ranged(command('export', 'write the log as NDJSON, with what proves it'))
      .option('--out <file>', 'where to; default: standard output')
      .action(onInstallation(exportLog)),
    command('prune', 'remove the oldest part of the log; the rest stays proved')
      .requiredOption('--before <time>', 'what was sealed before this moment, e.g. 2026-11-24T12:00:00Z')
      .option('--dry-run', 'only show what would be removed')
      .option('--yes', 'do not ask')
      .action(onInstallation(prune)),
    command(
      'erase-details',
      "erase address and user agent from all of a person's events; the events stay, and stay proved",
    )
      .argument('<user>', 'a username, or id:…, username:… or email:…')
      .option('--yes', 'do not ask')
      .action(onInstallation(eraseDetails)),
  ];
}

function ranged(made: Command): Command {
  return made
    .option('--from <time>', 'only what was sealed from this moment, e.g. 2026-11-24T12:00:00Z')
    .option('--to <time>', 'only what was sealed up to this moment');
}

/** A chain head as the log has it: `1204:3d0c…`. */
export const Head = z
  .string()
  .regex(/^\d+:[0-9a-f]{64}$/, 'must be a number, a colon and 64 hex digits, as the log has them')
  .transform((text) => ({ number: Number(text.split(':')[0]), head: text.split(':')[1] ?? '' }));

const rangeOf = ({ from, to }: Range) => ({
  from: parsed(Moment.optional(), from, '--from'),
  to: parsed(Moment.optional(), to, '--to'),
});

/** A file is proved without an installation. */
function verifyThere(options: VerifyOptions, self: Command): Promise<void> {
  const there = (place: Workplace, given: VerifyOptions, _: Command) => verify(place, given);
  return options.file ? action(verifyFile)(options) : onInstallation(there)(options, self);
}

async function verify({ deps }: Workplace, options: VerifyOptions): Promise<void> {
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
    throw invalid('', 'The file of --keys is no JSON: `latchkey audit keys --json` prints it.');
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

async function keys({ deps }: Workplace, options: Json): Promise<void> {
  const jwks = { keys: (await sealKeys(deps.keys)).map(({ public_jwk }) => public_jwk) };
  answer(options, jwks, [JSON.stringify(jwks, undefined, 2)]);
}

async function exportLog({ deps, actor }: Workplace, options: Range & { out?: string }): Promise<void> {
  const out: Writable = options.out ? createWriteStream(options.out, { mode: 0o600 }) : process.stdout;
  const counted = { events: 0 };
  await pipeline(counting(exportAudit(deps, actor, rangeOf(options)), counted), out, {
    end: options.out !== undefined,
  });
  const { events } = counted;
  note(`${events} events exported.`);
}

async function* counting(chunks: AsyncIterable<string>, counted: { events: number }): AsyncGenerator<string> {
  for await (const chunk of chunks) {
    counted.events += chunk.split('{"type":"event",').length - 1;
    yield chunk;
  }
}

type PruneOptions = Json & { before: string; dryRun?: boolean; yes?: boolean };

async function prune({ config, installation, deps, actor }: Workplace, options: PruneOptions): Promise<void> {
  const before = parsed(Moment, options.before, '--before');
  const planned = await countPrunable(deps.db, before);
  const question = `Remove ${planned.events} events in ${planned.segments} segments sealed before ${before.toISOString()}?`;
  if (options.dryRun || !(await isConfirmed(question, { ...options, scripts: 'need --yes' }))) {
    answer(options, { dry_run: true, before, ...planned }, [
      `Would remove ${planned.events} events in ${planned.segments} segments.`,
    ]);
    return;
  }
  // The role that serves requests may delete no event.
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
}

async function eraseDetails(
  { deps, actor }: Workplace,
  reference: string,
  options: Json & { yes?: boolean },
): Promise<void> {
  const user = await getUser(deps.db, reference);
  const question = `Erase address and user agent from all audit events and access records of ${user.username}?`;
  if (!(await isConfirmed(question, { ...options, scripts: 'go on' }))) return;
  const { erased } = await erasePersonalDetails(deps, actor, { kind: 'user', id: user.id });
  const access_records = await eraseAddresses(deps.db, user.id);
  answer(options, { username: user.username, erased, access_records }, [
    `Erased them from ${erased} events and ${access_records} access records.`,
  ]);
}
