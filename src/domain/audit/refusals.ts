import { Batched, type Db, inTransaction, Keyed } from '../../platform/database/index.ts';
import { anonymous } from '../../platform/http/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { type AuditEvent, appendEvent } from './events.ts';

export type RefusalsDeps = { db: Db; now: () => Date; log: Logger };

type Counted = { key: string; event: AuditEvent; minute: number; more: number };

const minuteMs = 60_000;
const everyMs = 5000;
const oldestMs = 4 * minuteMs;
// Beyond this number of kinds, refusals are counted together: a flood may come from ever new addresses or with ever new names.
const mostKinds = 60;
// One for each action in addition.
const mostHeld = 1000;

/**
 * Records refusals so that a flood of them does not fill the log: the first of a kind (action, reason, target, actor, address) in
 * a minute at once; later ones in that minute as one event with their number. They are counted in memory, so a crash loses at most
 * the count of one minute.
 */
export class Refusals {
  readonly #deps: RefusalsDeps;
  readonly #counted: Batched<Counted, Keyed<Counted>>;

  constructor(deps: RefusalsDeps) {
    this.#deps = deps;
    this.#counted = new Batched({
      // One at a time: each has its own transaction.
      ...{ log: deps.log, what: 'counts of refusals', everyMs, mostHeld, mostAtOnce: 1 },
      collect: () =>
        new Keyed(
          ({ key }) => key,
          (earlier, later) => ({ ...later, more: earlier.more + 1 + later.more }),
        ),
      write: ([counted]) => this.#conclude(counted),
      isDue: ({ minute }) => minute < this.#minute(),
      usesOf: ({ more }) => more,
    });
  }

  /** @throws when the first of its kind cannot be recorded */
  async record(refusal: Omit<AuditEvent, 'outcome' | 'occurred_at'>): Promise<void> {
    const event: AuditEvent = { ...refusal, outcome: 'failure', occurred_at: this.#deps.now() };
    await this.#counted.flush();
    const key = this.#keyOf(event);
    const isFirst = this.#counted.held.find(key) === undefined;
    this.#counted.add({ key, event, minute: this.#minute(), more: 0 });
    if (isFirst) await this.#append(event);
  }

  /** Records the counts so far. */
  close(): Promise<void> {
    return this.#counted.close();
  }

  #minute(): number {
    return Math.floor(this.#deps.now().getTime() / minuteMs);
  }

  #keyOf({ action, reason, target, actor }: AuditEvent): string {
    const key = JSON.stringify([action, reason, target, actor.id, actor.origin.address]);
    const { held } = this.#counted;
    return held.find(key) || held.size < mostKinds ? key : action;
  }

  async #conclude(counted: Counted | undefined): Promise<void> {
    if (!counted || counted.more === 0) return;
    const { key, event, more } = counted;
    await this.#append(repeated(key, this.#recordable(event), more));
  }

  /** The log refuses events that are more than five minutes old, as after the machine was suspended. */
  #recordable(event: AuditEvent): AuditEvent {
    const oldest = new Date(this.#deps.now().getTime() - oldestMs);
    return event.occurred_at < oldest ? { ...event, occurred_at: oldest } : event;
  }

  async #append(event: AuditEvent): Promise<void> {
    await inTransaction(this.#deps.db, (trx) => appendEvent(trx, event));
  }
}

/** The last refusal, with the number after the first; refusals of several kinds have only the action in common. */
function repeated(key: string, event: AuditEvent, more: number): AuditEvent {
  const { action, occurred_at } = event;
  if (key === action) return { actor: anonymous({}), action, outcome: 'failure', details: { more }, occurred_at };
  return { ...event, details: { ...event.details, more } };
}
