import { startLatchkey } from '../support/latchkey.ts';
import { TestBrowser } from './support/browser.ts';
import { installationFor } from './support/installation.ts';
import { allow, signIn } from './support/steps.ts';
import { SwaggerUi } from './support/swagger-ui.ts';

describe('Swagger UI', () => {
  const browser = new TestBrowser();

  const latchkey = startLatchkey({
    prepare: async () => {
      await Promise.all([browser.launch(), swagger.listen()]);
      return { apply: installation() };
    },
  });
  const swagger = new SwaggerUi(latchkey);
  const installation = () => {
    const { clients, ...rest } = installationFor({ app: swagger.origin, dashboard: swagger.origin, moreApps: [] });
    const explorer = {
      client_id: 'api-explorer',
      client_name: 'API Explorer',
      token_endpoint_auth_method: 'none',
      redirect_uris: [`${swagger.origin}/oauth2-redirect.html`],
      scope: 'openid',
      resources: clients.find(({ client_id }) => client_id === 'dashboard')?.resources,
    };
    return { ...rest, clients: [...clients, explorer] };
  };
  afterEach(async () => expect(await browser.closePages()).toEqual([]));
  afterAll(async () => {
    await browser.close();
    await swagger.close();
  });

  test('signs its user in through a popup, and calls the API with the token (HTML Standard §7.1.3)', async () => {
    const page = await browser.open();
    await page.goto(swagger.origin);
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const dialog = page.locator('.modal-ux');
    await dialog.locator('label', { hasText: 'calendar:read' }).first().click();
    const popup = page.waitForEvent('popup');
    await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
    const window = await popup;
    await signIn(window);
    const closed = window.waitForEvent('close');
    await allow(window);
    await closed;
    await dialog.getByRole('button', { name: 'Remove authorization' }).waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.locator('.opblock-summary').click();
    await page.getByRole('button', { name: 'Try it out' }).click();
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.locator('.responses-table.live-responses-table').waitFor();
    expect(swagger.received).toEqual([expect.stringMatching(/^Bearer lk_at_/)]);
  });
});
