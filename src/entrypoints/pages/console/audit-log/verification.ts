import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import type { ActionLink, Cell, Fact, Panel } from '../../records/page-shapes.ts';
import { figure } from '../../words.ts';
import { type Preset, presetText, rangeIn } from '../ranges.ts';
import { type RequestContext, showInConsole } from '../request-context.ts';

type Verification = AdminAnswer<'GET /audit/verification'>;

export const verificationPath = '/console/audit-log/verification';

/** Verifying a range takes as long as reading it; the command verifies the whole log. */
const ranges = ['1h', '24h'] as const satisfies readonly Preset[];

/** Whether events of a range are unchanged since they were sealed, in their order, with none missing. */
export async function showVerification(context: RequestContext): Promise<void> {
  const { api, ctx, deps, crumb } = context;
  const range = ranges.find((each) => each === ctx.query.range) ?? '1h';
  const verification = await api.call('GET /audit/verification', { query: rangeIn(deps.now(), { range }) });
  showInConsole(context, 'console-detail', {
    crumb,
    name: 'Chain verification',
    badges: [verification.is_intact ? cell.good('Verified') : cell.bad('Changed after it was sealed')],
    line: [cell.text(presetText(range))],
    notice: undefined,
    actions: ranges.map(rangeLink),
    tabs: [],
    panels: [factsOf(verification)],
    aside: [wholeLog],
    danger: [],
  });
}

const rangeLink = (range: Preset): ActionLink => ({
  label: presetText(range),
  href: `${verificationPath}?range=${range}`,
  danger: false,
});

function factsOf({ fault, segments, events, without_details, unsealed, head }: Verification): Panel {
  const number = (value: number): Cell => cell.text(figure(value));
  const facts: (Fact | false)[] = [
    fault !== null && { label: 'First difference', cell: cell.code(JSON.stringify(fault)) },
    { label: 'Events', cell: number(events) },
    { label: 'Without address and user agent', cell: number(without_details) },
    { label: 'Not sealed yet', cell: number(unsealed) },
    { label: 'Segments', cell: number(segments) },
    { label: 'Last segment', cell: number(head.number) },
    { label: 'Sealed', cell: cell.time(head.sealed_at) },
    { label: 'Seal', cell: cell.copied(head.head) },
  ];
  return {
    heading: 'Result',
    intro: 'Each event is compared with its sealed digest, each segment with the one before it and with its signature.',
    content: { kind: 'facts', facts: facts.filter((fact) => fact !== false) },
  };
}

const wholeLog: Panel = {
  heading: 'Whole log',
  intro: 'On the server, this command verifies everything. --head takes a seal that you recorded elsewhere.',
  content: { kind: 'snippets', snippets: [{ label: 'Command', text: 'latchkey audit verify' }] },
};
