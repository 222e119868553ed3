import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { slowLine } from './support/slow-line.ts';
import { signedIn } from './support/steps.ts';

describe('a page', () => {
  const site = startSite();
  const { latchkey, app, browser } = site;

  test('opened first needs less than 40 KB, and the next ones only themselves', async () => {
    const page = await browser.open();
    const sizes: Promise<number>[] = [];
    page.on('requestfinished', (request) => {
      sizes.push(request.sizes().then((size) => size.responseHeadersSize + size.responseBodySize));
    });
    await page.goto(await app.signInUrl(everything), { waitUntil: 'networkidle' });
    const transferred = await Promise.all(sizes);
    expect(transferred.length).toBeGreaterThanOrEqual(3);
    expect(transferred.reduce((sum, size) => sum + size, 0)).toBeLessThan(40 * 1024);

    const servedFiles = () => latchkey.server.output().match(/"\/assets\//g)?.length;
    const served = servedFiles();
    expect(served).toBeGreaterThanOrEqual(2);
    await page.goto(`${latchkey.issuer}/sign-in`, { waitUntil: 'networkidle' });
    expect(servedFiles()).toBe(served);
  });

  test.each(['/sign-in', '/'])('does not shift its layout while it loads slowly: %s', async (address) => {
    const line = slowLine(latchkey);
    await line.listen();
    const page = await browser.open();
    await page.goto(`${line.origin}${address}`).finally(() => line.close());
    expect(await page.evaluate('probe.jumps()')).toEqual([]);
  });

  test('has no animation for users who prefer reduced motion', async () => {
    const duration = "getComputedStyle(document.querySelector('button')).transitionDuration";
    const page = await browser.open({ reducedMotion: 'reduce' });
    await page.goto(await app.signInUrl(everything));
    expect(await page.evaluate(duration)).toBe('0s');
  });

  test('submits its form once, however often its button is pressed', async () => {
    const page = await signedIn(site);
    await page.goto(await app.signInUrl(everything));
    const { promise: pressed, resolve: letThrough } = Promise.withResolvers<void>();
    await page.route('**/consent', (route) => pressed.then(() => route.continue()));
    // Chromium ignores the same navigation again for a moment; other browsers and later presses are up to the page.
    const refused: string[] = [];
    page.on('console', (message) => refused.push(message.text()));
    await page.evaluate("addEventListener('submit', (event) => console.info(event.defaultPrevented))");
    const button = page.getByRole('button', { name: 'Allow', exact: true });
    await button.scrollIntoViewIfNeeded();
    const { x, y } = (await button.boundingBox()) ?? { x: 0, y: 0 };
    for (let presses = 0; presses < 3; presses += 1) await page.mouse.click(x + 9, y + 9);
    letThrough();
    await page.waitForURL(`${app.redirectUri}?**`);
    expect(refused).toEqual(['false', 'true', 'true']);
  });
});
