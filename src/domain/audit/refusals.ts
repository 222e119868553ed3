import { type Db, inTransaction, isOutage } from '../../platform/database/index.ts';
import { anonymous } from '../../platform/http/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { type AuditEvent, appendEvent } from './events.ts';

export type RefusalsDeps = { db: Db; now: () => Date; log: Logger };

type Counted = { event: AuditEvent; minute: number; more: number };

const minuteMs = 60_000;
const lookMs = 5000;
const oldestMs = 4 * minuteMs;
// What comes from ever new addresses or tries ever new names is counted together from here on.
const mostKinds = 60;

/**
 * Records refusals so that a flood of them does not fill the log: the first of a kind (what, why, of whom, from where) in a
 * minute at once; those that follow in that minute as one event that tells how many. They are counted in memory, so a crash
 * loses at most the count of one minute.
 */
export class Refusals {
  readonly #deps: RefusalsDeps;
  readonly #counted = new Map<string, Counted>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: RefusalsDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#conclude(this.#minute()), lookMs).unref();
  }

  /** @throws when the first of its kind cannot be recorded */
  async record(refusal: Omit<AuditEvent, 'outcome' | 'occurred_at'>): Promise<void> {
    const event: AuditEvent = { ...refusal, outcome: 'failure', occurred_at: this.#deps.now() };
    const minute = this.#minute();
    await this.#conclude(minute);
    const key = this.#keyOf(event);
    const counted = this.#counted.get(key);
    this.#counted.set(key, { event, minute, more: counted ? counted.more + 1 : 0 });
    if (!counted) await this.#append(event);
  }

  /** Records what was counted so far. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#conclude(Number.POSITIVE_INFINITY);
  }

  #minute(): number {
    return Math.floor(this.#deps.now().getTime() / minuteMs);
  }

  #keyOf({ action, reason, target, actor }: AuditEvent): string {
    const key = JSON.stringify([action, reason, target, actor.id, actor.origin.address]);
    return this.#counted.has(key) || this.#counted.size < mostKinds ? key : action;
  }

  async #conclude(before: number): Promise<void> {
    for (const [key, { event, minute, more }] of this.#counted) {
      if (minute >= before) continue;
      this.#counted.delete(key);
      const counted = repeated(key, this.#recordable(event), more);
      if (more > 0) await this.#append(counted).catch((error: unknown) => this.#tell(error));
    }
  }

  /** The log takes nothing that is more than five minutes old, as after a machine was asleep. */
  #recordable(event: AuditEvent): AuditEvent {
    const oldest = new Date(this.#deps.now().getTime() - oldestMs);
    return event.occurred_at < oldest ? { ...event, occurred_at: oldest } : event;
  }

  async #append(event: AuditEvent): Promise<void> {
    await inTransaction(this.#deps.db, (trx) => appendEvent(trx, event));
  }

  #tell(error: unknown): void {
    this.#deps.log[isOutage(error) ? 'warn' : 'error']({ err: error }, 'a count of refusals was not recorded');
  }
}

/** The last of them, and how many came after the first; of those counted together nothing else is common. */
function repeated(key: string, event: AuditEvent, more: number): AuditEvent {
  const { action, occurred_at } = event;
  if (key === action) return { actor: anonymous({}), action, outcome: 'failure', details: { more }, occurred_at };
  return { ...event, details: { ...event.details, more } };
}
