import type Router from '@koa/router';
import type { Context } from 'koa';
import { chooseLanguage } from '../../../domain/users/index.ts';
import { form, invalid, person, requestOrigin } from '../../../platform/http/index.ts';
import { Language } from '../../../platform/languages/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { languages, mailTexts, textsOf } from '../languages/languages.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor } from '../pages.ts';
import { one, own, type SignedIn } from '../signed-in.ts';

/** The language in which mail is written to the user. */
export function mailLanguageRoutes(router: Router, deps: PagesDeps): void {
  router.get(pagePaths.mailLanguage, own(deps, showLanguage));
  router.post(pagePaths.mailLanguage, own(deps, saveLanguage));
}

async function showLanguage(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  const notice = one(ctx.query.saved) ? textsFor(deps, ctx).language.saved : undefined;
  const data = {
    csrf: csrfToken(deps, ctx),
    action: pagePaths.mailLanguage,
    chosen: user.language ?? '',
    options: languages.map((value) => ({ value, name: textsOf(value).name })),
    automatic: mailTexts(deps.config.language)(user.browser_language ?? undefined).name,
    notice,
  };
  show(deps, ctx, 'mail-language', data, { signed_in_as: accountName(user) });
}

async function saveLanguage(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  checkCsrf(deps, ctx);
  const language = Language.nullable().safeParse(form(ctx).get('language') || null);
  if (!language.success) throw invalid('/language', 'Choose one of the languages.');
  const actor = person(user.id, requestOrigin(ctx));
  await chooseLanguage(deps, actor, { user_id: user.id, language: language.data });
  ctx.status = 303;
  ctx.redirect(`${pagePaths.mailLanguage}?saved=1`);
}
