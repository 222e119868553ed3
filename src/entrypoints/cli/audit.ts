import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { listEvents, newestEvents, type RecordedEvent } from '../../domain/audit/index.ts';
import { proofCommands } from './audit-proof.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { Moment, parsed } from './input.ts';
import { note, say } from './output.ts';

type TailOptions = { json?: boolean; lines: string; follow?: boolean };

const Lines = z.coerce.number('must be a number of lines').int().min(0).max(10_000);
const pauseMs = 1000;
const pageSize = 1000;

/** `latchkey audit …` */
export function auditCommand(): Command {
  const audit = new Command('audit')
    .description('who did what, when, from where, with what result')
    .addCommand(
      command('tail', 'show the newest events, oldest of them first; with --json one a line')
        .option('-n, --lines <number>', 'how many', '20')
        .option('-f, --follow', 'go on as events happen, until Ctrl-C')
        .action(onInstallation(tail)),
    )
    .addCommand(listCommand());
  for (const proof of proofCommands()) audit.addCommand(proof);
  return audit;
}

function listCommand(): Command {
  return command('list', 'find events, newest first; with --json a page')
    .option('--actor <id>', 'the actor: the id of a user, a client_id, or an operating-system account')
    .option('--actor-kind <kind>', 'user, client, anonymous or system')
    .option('--target <id>', 'the target of the action')
    .option('--target-kind <kind>', 'user, client, grant, …')
    .option('--action <action>', 'e.g. client.secret.created')
    .option('--outcome <outcome>', 'success or failure')
    .option('--request-id <id>', 'the X-Request-Id of an answer')
    .option('--from <time>', 'from this moment, e.g. 2026-11-24T12:00:00Z')
    .option('--to <time>', 'before this moment')
    .option('--text <text>', 'text found anywhere in the event')
    .option('-n, --limit <number>', 'how many', '50')
    .option('--cursor <cursor>', 'the `next` of the page before')
    .action(onInstallation(list));
}

async function tail({ deps }: Workplace, options: TailOptions): Promise<void> {
  const limit = parsed(Lines, options.lines, '--lines');
  let events = await newestEvents(deps.db, { limit });
  for (const event of events) say(lineOf(event, options));
  if (!options.follow) return;
  let last = events.at(-1)?.id;
  for (;;) {
    await sleep(pauseMs);
    events = await newestEvents(deps.db, { limit: pageSize, after: last ?? '00000000-0000-0000-0000-000000000000' });
    for (const event of events) say(lineOf(event, options));
    last = events.at(-1)?.id ?? last;
  }
}

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
});

type ListOptions = { json?: boolean } & Record<string, unknown>;

async function list({ deps }: Workplace, { actorKind, targetKind, requestId, ...options }: ListOptions): Promise<void> {
  const given = { ...options, actor_kind: actorKind, target_kind: targetKind, request_id: requestId };
  const page = await listEvents(deps.db, parsed(Filter, given));
  if (options.json) {
    say(JSON.stringify({ events: page.items, next: page.next }, undefined, 2));
    return;
  }
  for (const event of page.items) say(lineOf(event, {}));
  if (page.next) note(`More with --cursor ${page.next}`);
}

function lineOf(event: RecordedEvent, { json }: { json?: boolean }): string {
  if (json) return JSON.stringify(event);
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
  return parts.filter(Boolean).join('  ');
}
