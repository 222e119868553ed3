import { Latchkey } from '../../support/latchkey.ts';
import { App } from './app.ts';
import { TestBrowser } from './browser.ts';
import { assistant, installationFor } from './installation.ts';
import { SinglePageApp } from './single-page-app.ts';

/** A Latchkey with the brand Acme, an app and a single-page app that sign users in with it, and a browser. */
export type Site = { latchkey: Latchkey; app: App; dashboard: SinglePageApp; browser: TestBrowser };

/**
 * Starts a site for the tests around it. A test fails if one of its pages has logged an error or sent a request to another host.
 *
 * @param moreApps names of apps with a short request
 * @param env settings of the server in addition to those of every site
 */
export function startSite({ moreApps = [], env = {} }: { moreApps?: string[]; env?: NodeJS.ProcessEnv } = {}): Site {
  const latchkey = new Latchkey();
  const app = new App(assistant);
  const dashboard = new SinglePageApp(latchkey);
  const browser = new TestBrowser();
  beforeAll(async () => {
    const launched = browser.launch();
    await Promise.all([app.listen(), dashboard.listen()]);
    const apply = installationFor({ app: app.origin, dashboard: dashboard.origin, moreApps });
    await latchkey.start({ apply, env: { LATCHKEY_BRAND_NAME: 'Acme', ...env } });
    await app.discover(latchkey.issuer);
    await launched;
  });
  afterEach(async () => expect(await browser.closePages()).toEqual([]));
  afterAll(async () => {
    await browser.close();
    await Promise.all([latchkey.stop(), app.close(), dashboard.close()]);
  });
  return { latchkey, app, dashboard, browser };
}
