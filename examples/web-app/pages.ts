import type { Context } from 'koa';

/** `problem`: a whole sentence. */
export type HomePage = { csrf: string; signed_in: boolean; problem?: string | undefined };

export type TokensPage = {
  csrf: string;
  id_token_claims: object;
  access_token_introspection: object;
  userinfo: object;
  /** null: not called yet */
  api_answer: object | null;
  /** How many times the tokens were renewed. */
  refreshed: number;
  /** A whole sentence. */
  notice: string | undefined;
};

/** The views of the app: each returns a whole HTML page. */
export type Pages = {
  home: (page: HomePage, ctx: Context) => string;
  tokens: (page: TokensPage, ctx: Context) => string;
};

/** Minimal pages, for an app at the root of its host. */
export const plainPages: Pages = {
  home: ({ csrf, signed_in, problem }) =>
    html(
      'Web app',
      `${problem ? `<p role="alert">${escaped(problem)}</p>` : ''}
${signed_in ? '<p><a href="/tokens">See what it got</a></p>' : button('/sign-in', 'Sign in', csrf)}`,
    ),
  tokens: ({ csrf, notice, refreshed, ...parts }) =>
    html(
      'What this app got',
      `${notice ? `<p role="status">${escaped(notice)}</p>` : ''}
${button('/call-api', 'Call the API', csrf)}
${button('/refresh', 'Refresh', csrf)} Refreshed: ${refreshed}
${button('/revoke', 'Revoke', csrf)}
${button('/sign-out', 'Sign out', csrf)}
${section('API', parts.api_answer)}
${section('ID token', parts.id_token_claims)}
${section('Access token', parts.access_token_introspection)}
${section('Userinfo', parts.userinfo)}`,
    ),
};

function html(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<h1>${title}</h1>
${body}
</html>
`;
}

function button(action: string, label: string, csrf: string): string {
  const token = `<input type="hidden" name="csrf" value="${escaped(csrf)}">`;
  return `<form method="post" action="${action}">${token}<button>${label}</button></form>`;
}

function section(title: string, value: object | null): string {
  return `<h2>${title}</h2>\n<pre>${value ? escaped(JSON.stringify(value, null, 2)) : 'Not called yet.'}</pre>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
