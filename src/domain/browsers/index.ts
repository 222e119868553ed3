/** Browsers: those in which users have chosen to skip the second factor. */

export { forgetBrowser, isRememberedBrowser, rememberBrowser } from './browsers.ts';
export { rememberedBrowserKind } from './kind.ts';
export { forgetBrowsersOf, listBrowsers, type RememberedBrowser } from './store.ts';
