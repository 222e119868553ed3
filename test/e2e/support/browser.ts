import path from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from './chromium.ts';

const probe = path.join(import.meta.dirname, 'page-probe.js');
const patienceMs = 120_000;

/** One Chromium for the tests of a file. Each page belongs to a user with a separate browser profile. */
export class TestBrowser {
  #browser: Browser | undefined;
  #contexts: BrowserContext[] = [];
  #complaints: string[] = [];
  #expected: RegExp[] = [];

  async launch(): Promise<void> {
    this.#browser = await launchChromium();
  }

  async close(): Promise<void> {
    await this.#browser?.close();
  }

  /** A page in a new browser profile. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    if (!this.#browser) throw new Error('not launched');
    const context = await this.#browser.newContext({ viewport: { width: 900, height: 860 }, ...options });
    this.#contexts.push(context);
    context.setDefaultTimeout(patienceMs);
    await context.addInitScript({ path: probe });
    const page = await context.newPage();
    this.#listen(page);
    return page;
  }

  /** Closes the pages of a test, and returns the errors that they logged meanwhile. */
  async closePages(): Promise<string[]> {
    await Promise.all(this.#contexts.map((context) => context.close()));
    const complaints = this.#complaints.filter((complaint) => !this.#expected.some((each) => each.test(complaint)));
    this.#contexts = [];
    this.#complaints = [];
    this.#expected = [];
    return complaints;
  }

  /** Messages in Chromium's console for refusals that the test expects. */
  expectComplaint(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  #listen(page: Page): void {
    const complain = (text: string) => this.#complaints.push(`${page.url()}: ${text}`);
    page.on('pageerror', ({ message }) => complain(message));
    page.on('console', (message) => {
      // A page with the status 404 or 422 is a valid response, but Chromium also logs it as an error.
      const isAnswer = /status of 4\d\d/.test(message.text()) && message.location().url === page.url();
      if (['error', 'warning'].includes(message.type()) && !isAnswer) complain(message.text());
    });
    page.on('request', (request) => {
      if (!/^(https?:\/\/(localhost|127\.0\.0\.1):|data:)/.test(request.url())) complain(`asks ${request.url()}`);
    });
  }
}
