/** Browsers: those in which users have chosen to skip the second factor. */

export { forgetBrowser, isRememberedBrowser, listRememberedBrowsers, rememberBrowser } from './browsers.ts';
export { rememberedBrowserKind } from './kind.ts';
export { forgetBrowsersOf, type RememberedBrowser } from './store.ts';
