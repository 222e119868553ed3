import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { eventsSince, listEvents, newestToFollow, type RecordedEvent } from '../../../domain/audit/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { Moment, parsed } from './input.ts';
import { inLine, note, say, sayJson, visible } from './output.ts';

type TailOptions = { json?: boolean; lines: string; follow?: boolean };

const Lines = z.coerce.number('must be a number of lines').int().min(0).max(10_000);
const pauseMs = 1000;
const pageSize = 1000;

export const tail = onInstallation(async ({ deps }: CommandContext, options: TailOptions) => {
  const limit = parsed(Lines, options.lines, '--lines');
  let { events, place } = await newestToFollow(deps.db, limit);
  for (;;) {
    for (const event of events) say(lineOf(event, options));
    if (!options.follow) return;
    if (events.length < pageSize) await sleep(pauseMs);
    ({ events, place } = await eventsSince(deps.db, place, pageSize));
  }
});

const Filter = z.object({
  actor: z.string().optional(),
  actor_kind: z.string().optional(),
  target: z.string().optional(),
  target_kind: z.string().optional(),
  action: z.string().optional(),
  outcome: z.enum(['success', 'failure'], 'must be "success" or "failure"').optional(),
  request_id: z.string().optional(),
  from: Moment.optional(),
  to: Moment.optional(),
  text: z.string().min(1).optional(),
  limit: z.coerce.number('must be a number').int().min(1).max(1000),
  cursor: z.string().optional(),
  sort: z.literal('-occurred_at').default('-occurred_at'),
});

type ListOptions = { json?: boolean } & Record<string, unknown>;

export const list = onInstallation(
  async ({ deps }: CommandContext, { actorKind, targetKind, requestId, ...options }: ListOptions) => {
    const given = { ...options, actor_kind: actorKind, target_kind: targetKind, request_id: requestId };
    const page = await listEvents(deps.db, parsed(Filter, given));
    if (options.json) {
      sayJson(page);
      return;
    }
    for (const event of page.items) say(lineOf(event, {}));
    if (page.next) note(`More with --cursor ${page.next}`);
  },
);

function lineOf(event: RecordedEvent, { json }: { json?: boolean }): string {
  if (json) return visible(JSON.stringify(event));
  const { occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, reason, address } = event;
  const actor = actor_id ? `${actor_kind} ${actor_id}` : actor_kind;
  const parts = [
    occurred_at.toISOString(),
    actor,
    action,
    target_kind && `${target_kind} ${target_id}`,
    outcome === 'failure' && `failed${reason ? `: ${reason}` : ''}`,
    address && `from ${address}`,
  ];
  return inLine(parts.filter(Boolean).join('  '));
}
