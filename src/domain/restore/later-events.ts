import { open } from 'node:fs/promises';
import type { Db } from '../../platform/database/index.ts';
import { conflict, invalid } from '../../platform/http/index.ts';
import {
  type ChainEvent,
  findHead,
  knownEvents,
  logEnds,
  type NotedHead,
  type PublicKeys,
  presentName,
  verifyExport,
  verifyMessages,
} from '../audit/index.ts';
import type { Consequence } from './consequence.ts';
import type { LaterEvent } from './later-event.ts';
import { consequenceOf } from './rules.ts';

/** An event with its consequence. */
export type FollowedEvent = { event: LaterEvent; consequence: Consequence };

/** The events in the files that this database lacks. */
export type LaterLog = {
  /** The last segment that this database and the files have in common: the point of the restore. */
  restored_head: (NotedHead & { sealed_at: Date | null }) | undefined;
  /** The newest head that the files prove or name. */
  newest: NotedHead | undefined;
  /** Numbers of the segments in the files. */
  covered: Set<number>;
  missing: { events: number; first: string | undefined; last: string | undefined };
  /** The missing events that have a consequence, in the order of the log. */
  events: FollowedEvent[];
  /** Events that no signed head proves: of a receiver of selected actions only, or of an older version. */
  unproved: number;
};

type Segment = { number: number; head: string | undefined; events: readonly ChainEvent[]; is_proved: boolean };

const lookedUpAtOnce = 1000;

/**
 * Reads files of events: exports of the audit log, bodies that a webhook received, or the standard output of servers, one JSON
 * object a line.
 *
 * @param keys the public keys of the log
 * @throws Problem `invalid`: a file cannot be read; `conflict`: it was tampered with, is of another installation, or contradicts the
 *   noted head
 */
export async function readLaterEvents(
  db: Db,
  files: readonly string[],
  { keys, noted }: { keys: PublicKeys; noted: NotedHead | undefined },
): Promise<LaterLog> {
  const collector = new Collector(db, await logEnds(db), noted);
  for (const file of files) await readFile(file, keys, collector);
  return collector.result();
}

async function readFile(file: string, keys: PublicKeys, collector: Collector): Promise<void> {
  const isExport = await isAuditExport(file);
  const handle = await open(file).catch(unreadable);
  if (isExport) {
    const { fault, start } = await verifyExport(handle.readLines(), keys, {
      take: (segment, rows) => {
        const ordinals = new Map(segment.members.map(({ id }, ordinal) => [id, ordinal]));
        const events = rows.map(({ event }) => event);
        events.sort((a, b) => (ordinals.get(a.id) ?? 0) - (ordinals.get(b.id) ?? 0));
        return collector.take({ number: segment.number, head: segment.head, events, is_proved: true });
      },
    });
    if (fault) throw refused(file, `line ${fault.line}: ${fault.detail}`);
    if (start) await collector.beginsAfter(start);
    return;
  }
  const { fault, noted } = await verifyMessages(handle.readLines(), keys, (segment) => collector.take(segment));
  if (fault) throw refused(file, `line ${fault.line}: ${fault.detail}`);
  if (noted) collector.hearsOf(noted);
}

async function isAuditExport(file: string): Promise<boolean> {
  const handle = await open(file).catch(unreadable);
  for await (const line of handle.readLines()) return /^\{"type":"start"/.test(line);
  throw refused(file, 'it is empty');
}

function unreadable({ path, code }: NodeJS.ErrnoException): never {
  throw invalid('', `Cannot read ${path}: ${code}.`);
}

function refused(file: string, reason: string) {
  return conflict(
    `${file} was rejected, nothing was changed: ${reason}. If a key signed the log that the restored database does not have, pass the earlier output of \`latchkey audit keys --json\` with --keys.`,
  );
}

/** Keeps the events of the files that this database lacks. */
class Collector {
  readonly #db: Db;
  readonly #ends: Awaited<ReturnType<typeof logEnds>>;
  readonly #noted: NotedHead | undefined;
  readonly #seen = new Set<string>();
  readonly #kept: (FollowedEvent & { at: [number, number] })[] = [];
  readonly #covered = new Set<number>();
  #waiting: { event: ChainEvent; at: [number, number]; is_proved: boolean }[] = [];
  /** The segments that are the same here and in the files, and the first that is not. */
  readonly #common = new Set<number>();
  #firstOther = Number.POSITIVE_INFINITY;
  #newest: NotedHead | undefined;
  #missing: LaterLog['missing'] = { events: 0, first: undefined, last: undefined };
  #unproved = 0;

  constructor(db: Db, ends: Awaited<ReturnType<typeof logEnds>>, noted: NotedHead | undefined) {
    this.#db = db;
    this.#ends = ends;
    this.#noted = noted;
  }

  async take({ number, head, events, is_proved }: Segment): Promise<void> {
    if (number <= this.#ends.first.number) return;
    if (head !== undefined) {
      if (this.#noted?.number === number && this.#noted.head !== head)
        throw conflict(
          `Segment ${number} has a head in the files that differs from the noted one: they belong to different logs.`,
        );
      this.#covered.add(number);
      this.hearsOf({ number, head });
      const own = await findHead(this.#db, number);
      if (own?.head === head) {
        this.#common.add(number);
        return;
      }
      this.#firstOther = Math.min(this.#firstOther, number);
    }
    for (const [ordinal, event] of events.entries()) this.#waiting.push({ event, at: [number, ordinal], is_proved });
    if (this.#waiting.length >= lookedUpAtOnce) await this.#lookUp();
  }

  /** The start of an export: after a segment that this database may have. */
  async beginsAfter({ number, head }: NotedHead): Promise<void> {
    const { first } = this.#ends;
    const own = number === first.number ? first : await findHead(this.#db, number);
    if (own?.head === head) this.#common.add(number);
  }

  hearsOf(head: NotedHead): void {
    if (head.number > (this.#newest?.number ?? 0)) this.#newest = head;
  }

  async result(): Promise<LaterLog> {
    await this.#lookUp();
    this.#kept.sort((a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1]);
    return {
      restored_head: await this.#restoredHead(),
      newest: this.#newest,
      covered: this.#covered,
      missing: this.#missing,
      events: this.#kept.map(({ event, consequence }) => ({ event, consequence })),
      unproved: this.#unproved,
    };
  }

  /** The files may continue after the restore: common segments are looked for before the first one that differs. */
  async #restoredHead(): Promise<LaterLog['restored_head']> {
    const number = [...this.#common].reduce((most, each) => (each < this.#firstOther && each > most ? each : most), -1);
    if (number === -1) return undefined;
    const { first } = this.#ends;
    return number === first.number ? { ...first, sealed_at: null } : findHead(this.#db, number);
  }

  async #lookUp(): Promise<void> {
    // Messages may be repeated.
    const fresh = this.#waiting.filter(({ event: { id } }) => !this.#seen.has(id) && this.#seen.add(id));
    this.#waiting = [];
    const known = await knownEvents(
      this.#db,
      fresh.map(({ event }) => event),
    );
    for (const { event, at, is_proved } of fresh.filter(({ event: { id } }) => !known.has(id))) {
      const { events, first, last } = this.#missing;
      const { occurred_at } = event;
      this.#missing = {
        events: events + 1,
        first: first === undefined || occurred_at < first ? occurred_at : first,
        last: last === undefined || occurred_at > last ? occurred_at : last,
      };
      if (!is_proved) this.#unproved += 1;
      const later = laterEvent(event, is_proved);
      const consequence = consequenceOf(later);
      if (consequence.ending || consequence.advice !== undefined) this.#kept.push({ event: later, consequence, at });
    }
  }
}

function laterEvent(
  { id, occurred_at, action, target_kind, target_id, outcome, details }: ChainEvent,
  is_proved: boolean,
): LaterEvent {
  const members = details === null ? {} : (JSON.parse(details) as Record<string, unknown>);
  return { id, occurred_at, action: presentName(action), target_kind, target_id, outcome, details: members, is_proved };
}
