import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { listEvents, type RecordedEvent } from '../audit/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { parsed } from './input.ts';
import { say } from './output.ts';

type Options = { json?: boolean; lines: string; follow?: boolean };

const Lines = z.coerce.number('must be a number of lines').int().min(0).max(10_000);
const pauseMs = 1000;
const pageSize = 1000;

/** `latchkey audit …` */
export function auditCommand(): Command {
  return new Command('audit')
    .description('who did what, when, from where, with what result')
    .addCommand(
      command('tail', 'show the newest events, oldest of them first; with --json one a line')
        .option('-n, --lines <number>', 'how many', '20')
        .option('-f, --follow', 'go on as events happen, until Ctrl-C')
        .action(onInstallation(tail)),
    );
}

async function tail({ deps }: Workplace, options: Options): Promise<void> {
  const limit = parsed(Lines, options.lines);
  let events = await listEvents(deps.db, { limit });
  for (const event of events) say(lineOf(event, options));
  if (!options.follow) return;
  let last = events.at(-1)?.id;
  for (;;) {
    await sleep(pauseMs);
    events = await listEvents(deps.db, { limit: pageSize, after: last ?? '00000000-0000-0000-0000-000000000000' });
    for (const event of events) say(lineOf(event, options));
    last = events.at(-1)?.id ?? last;
  }
}

function lineOf(event: RecordedEvent, { json }: Options): string {
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
