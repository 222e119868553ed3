import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DangerousAction, Fact, Panel } from '../../records/page-shapes.ts';
import { apiLines } from '../../records/rights-lines.ts';
import { one } from '../../signed-in.ts';
import { clientPath } from '../clients/client.ts';
import { workloadRequest } from '../clients/quickstart.ts';
import { recentEvents } from '../recent-events.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { conditionLine } from './condition-lines.ts';
import { loginFacts } from './login-fields.ts';
import { getTrust, kinds, type Trust, trustPath } from './trust.ts';

/** One trust: its conditions, its permissions, and its workloads. */
export async function showTrust(context: RequestContext): Promise<void> {
  const trust = await getTrust(context);
  const path = trustPath(trust.id);
  const party = { kind: 'trust', id: trust.id, reference: `trust:${trust.id}` } as const;
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: trust.name,
    badges: [cell.enabled(trust.enabled)],
    line: [cell.text(kinds[trust.kind] ?? trust.kind), cell.timeAfter('created', trust.created_at)],
    notice: noticeIn(context.ctx),
    actions: allowedActions(context, [
      { route: 'PATCH /trusts/{trust_id}', label: 'Edit', href: `${path}/change`, danger: false },
      ...(trust.login
        ? []
        : [{ route: explanation, label: 'Explain a token', href: `${path}/explain`, danger: false }]),
      ...(trust.enabled
        ? []
        : [{ route: 'PATCH /trusts/{trust_id}' as const, label: 'Enable', href: `${path}/enable`, danger: false }]),
    ]),
    tabs: [],
    panels: [
      ...(trust.login ? loginPanels(context.deps.issuer, trust) : tokenPanels(context.deps.issuer, trust)),
      ...(trust.kind === 'workload' ? await workloadPanels(context, trust) : []),
      ...(await recentEvents(context, party, 5)),
    ],
    aside: [],
    danger: dangerOf(context, trust),
  });
}

const explanation = 'POST /trusts/{trust_id}/explanation' as const;

function tokenPanels(issuer: string, trust: Trust): Panel[] {
  return [
    { heading: 'Accepts', content: { kind: 'facts', facts: acceptedFacts(issuer, trust) } },
    { heading: 'Permissions', content: { kind: 'facts', facts: givenFacts(trust) } },
  ];
}

function loginPanels(issuer: string, trust: Trust): Panel[] {
  const facts = [{ label: 'Issuer', cell: cell.copied(trust.issuer) }, ...loginFacts(issuer, trust, conditionLine)];
  return [{ heading: 'Sign-in', content: { kind: 'facts', facts } }];
}

function acceptedFacts(issuer: string, trust: Trust): Fact[] {
  const { kind, conditions, audience, one_time, token_review: review } = trust;
  return [
    { label: 'Issuer', cell: cell.copied(trust.issuer) },
    { label: 'Audience', cell: cell.copied(audience ?? issuer) },
    { label: 'Conditions', cell: cell.codes(conditions.map(conditionLine)) },
    { label: 'Keys', cell: cell.text(keysOf(trust)) },
    ...(review ? [{ label: 'Kubernetes API server for token review', cell: cell.copied(review.url) }] : []),
    { label: 'One-time tokens', cell: cell.yesNo(one_time || kind === 'id_jag') },
  ];
}

function keysOf({ jwks, jwks_uri, token_review }: Trust): string {
  if (jwks) return `${jwks.keys.length} in this trust`;
  return jwks_uri ?? (token_review ? 'The cluster verifies signatures' : 'Found by discovery at the issuer');
}

function givenFacts(trust: Trust): Fact[] {
  const { kind, permissions, access_token_ttl_seconds: seconds, most_workloads, roles } = trust;
  return [
    { label: 'Permissions', cell: cell.codes(apiLines(permissions)) },
    ...(roles.length > 0 ? [{ label: 'Roles', cell: cell.codes(roles) }] : []),
    { label: 'Token lifetime', cell: cell.text(seconds ? `At most ${cell.duration(seconds)}` : 'That of the API') },
    ...(kind === 'workload' ? [{ label: 'Maximum workloads', cell: cell.number(most_workloads) }] : []),
  ];
}

async function workloadPanels(context: RequestContext, trust: Trust): Promise<Panel[]> {
  const snippets = [workloadRequest(context.deps.issuer, Object.keys(trust.permissions)[0])];
  return [{ heading: 'Request a token', content: { kind: 'snippets', snippets } }, await workloads(context, trust)];
}

async function workloads(context: RequestContext, { id }: Trust): Promise<Panel> {
  const cursor = one(context.ctx.query.cursor);
  const query = { limit: '25', ...(cursor && { cursor }) };
  const { items, next } = await context.api.call('GET /trusts/{trust_id}/workloads', {
    params: { trust_id: id },
    query,
  });
  const mayDelete = context.api.may('DELETE /trusts/{trust_id}/workloads/{client_id}');
  const deletion = (client_id: string, subject: string) =>
    cell.action('Delete', `${trustPath(id)}/workloads/${client_id}/delete`, subject);
  return {
    heading: 'Workloads',
    intro: 'Each was registered as a client when it first requested a token.',
    content: {
      kind: 'table',
      columns: ['Subject', 'State', 'First seen', ''].map((label) => ({ label })),
      rows: items.map(({ client_id, subject, enabled, created_at }) => [
        cell.link(subject, clientPath(client_id), client_id),
        cell.enabled(enabled),
        cell.time(created_at),
        // A disabled one would be registered again, and enabled.
        mayDelete && enabled ? deletion(client_id, subject) : cell.text(''),
      ]),
      empty: 'No workload has requested a token yet.',
      next: next === null ? undefined : addressOf(trustPath(id), { cursor: next }),
    },
  };
}

function dangerOf(context: RequestContext, { id, enabled, login }: Trust): DangerousAction[] {
  if (!enabled) return [];
  return allowedActions(context, [
    {
      route: 'POST /trusts/{trust_id}/disable',
      label: 'Disable trust',
      href: `${trustPath(id)}/disable`,
      danger: true,
      words: login
        ? 'Signs out every user who signed in with it, and revokes the tokens that apps got in these sessions. No one can sign in with it until you enable it again.'
        : 'Disables its workloads and revokes every token issued under it. It accepts no token until you enable it again.',
    },
  ]).map((action) => ({ ...action, button: 'Disable trust' }));
}
