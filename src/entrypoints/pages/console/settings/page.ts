import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Cell, Panel } from '../../records/page-shapes.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { settingsPath } from './actions.ts';
import { policyPanel } from './sign-in-policy.ts';

type Setting = AdminAnswer<'GET /settings'>['items'][number];

/** The first one that matches a name is its group. */
const groups: readonly (readonly [string, RegExp])[] = [
  ['Database', /DATABASE|PREPARED|DATA_DIR/],
  ['Tokens and sessions', /TOKEN|REFRESH|SESSION|KEY_ACTIVATION/],
  ['API keys and leaks', /API_KEY|LEAK|SECRET_SCANNING/],
  ['Pages and mail', /BRAND|SMTP|MAIL|LOGO|ACCENT|LANGUAGE/],
  ['Logs, metrics and traces', /LOG|OTEL|METRICS|AUDIT/],
  ['Server', /^/],
];

const mailActions = [
  { route: 'POST /settings/test-mail', label: 'Send test e-mail', href: `${settingsPath}/test-mail`, danger: false },
] as const;

const groupOf = ({ name }: Setting): string => groups.find(([, names]) => names.test(name))?.[0] ?? '';

/** Every setting with its value and where it came from. */
export async function showSettings(context: RequestContext): Promise<void> {
  const { items } = await context.api.call('GET /settings');
  const grouped = Map.groupBy(items, groupOf);
  const mail = allowedActions(context, mailActions);
  showInConsole(context, 'console-settings', {
    notice: noticeIn(context.ctx),
    panels: [
      ...(await policyPanel(context)),
      ...groups.flatMap(([heading]) => {
        const members = grouped.get(heading);
        const actions = heading === 'Pages and mail' ? mail : [];
        return members ? [{ ...panelOf(heading, members), actions }] : [];
      }),
    ],
  });
}

const panelOf = (heading: string, settings: readonly Setting[]): Panel => ({
  heading,
  content: {
    kind: 'table',
    columns: [{ label: 'Setting' }, { label: 'Value' }, { label: 'Source' }],
    rows: settings.map(rowOf),
    empty: '',
  },
});

const sources: Record<Setting['source'], (name: string) => Cell> = {
  environment: () => cell.info('Environment'),
  file: (name) => cell.info(`File named by ${name}_FILE`),
  default: () => cell.quiet('Default'),
  unset: () => cell.quiet('Not set'),
};

function rowOf({ name, value, is_secret, source, description }: Setting): Cell[] {
  return [cell.code(name, description), valueCell({ name, value, is_secret, source }), sources[source](name)];
}

function valueCell({ name, value, is_secret, source }: Omit<Setting, 'description'>): Cell {
  if (source === 'unset') return cell.text('None');
  if (is_secret) return cell.text('Hidden');
  const seconds = name.endsWith('_SECONDS') ? Number(value) : 0;
  return cell.code(value ?? '', seconds >= 60 ? cell.duration(seconds) : undefined);
}
