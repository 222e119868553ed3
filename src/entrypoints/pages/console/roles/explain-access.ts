import { Problem } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import { one } from '../../signed-in.ts';
import { apiOptions, clientSuggestions, listedApis, userSuggestions } from '../pickers.ts';
import { type RequestContext, showInConsole } from '../request-context.ts';

/** Why a user or client has or lacks a permission: a form, and its answer in the same page. */
export async function explainAccess(context: RequestContext): Promise<void> {
  const { api, ctx } = context;
  await api.mustBeAllowed('GET /explanation');
  const asked = {
    kind: one(ctx.query.kind) === 'client' ? 'client' : 'user',
    subject: one(ctx.query.subject).trim(),
    resource: one(ctx.query.resource).trim(),
    permission: one(ctx.query.permission).trim(),
  };
  const isAsked = Object.values(asked).every((value) => value !== '');
  const answer = isAsked ? await api.call('GET /explanation', { query: asked }).catch(refusalIn) : undefined;
  const [apis, users, clients] = await Promise.all([
    listedApis(context).then(apiOptions),
    userSuggestions(context),
    clientSuggestions(context),
  ]);
  showInConsole(
    context,
    'console-explain-access',
    {
      crumb: context.crumb,
      asked,
      apis: apis.map(({ value }) => value),
      subjects: [...users, ...clients],
      answer: answer && 'allowed' in answer ? { badge: badgeOf(answer.allowed), because: answer.because } : undefined,
      problem: answer && 'problem' in answer ? answer.problem : undefined,
    },
    answer && 'problem' in answer ? 400 : 200,
  );
}

const badgeOf = (allowed: boolean) => (allowed ? cell.good('Allowed') : cell.bad('Denied'));

function refusalIn(error: unknown): { problem: string } {
  if (error instanceof Problem && (error.status === 400 || error.status === 404)) return { problem: error.message };
  throw error;
}
