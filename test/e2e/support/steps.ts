import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { password } from '../../support/installation.ts';
import type { Site } from './site.ts';

/** The question of the loaded page; there is only one. */
export async function question(page: Page): Promise<string> {
  await page.waitForLoadState();
  return page.getByRole('heading', { level: 1 }).innerText();
}

/**
 * The texts of all matching elements of a loaded page. Playwright does not wait for several elements, and a click is over before the page
 * that it opens has loaded.
 */
export async function textsOf(elements: Locator): Promise<string[]> {
  await elements.page().waitForLoadState();
  return elements.allInnerTexts();
}

/** The number of matching elements of a loaded page. */
export async function countOf(elements: Locator): Promise<number> {
  await elements.page().waitForLoadState();
  return elements.count();
}

export async function signIn(page: Page, login = 'alice', secret = password): Promise<void> {
  await page.getByLabel('E-mail or username').fill(login);
  await page.getByLabel('Password').fill(secret);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

export async function allow(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
}

/** A browser in which a user is signed in to their own pages. */
export async function signedIn(
  { latchkey, browser }: Site,
  { login = 'alice', ...options }: BrowserContextOptions & { login?: string } = {},
): Promise<Page> {
  const page = await browser.open(options);
  await page.goto(`${latchkey.issuer}/sign-in`);
  await signIn(page, login);
  await page.waitForURL(`${latchkey.issuer}/account`);
  return page;
}

/** Allows a client all that it requests, in a browser with a signed-in user. */
export async function connect(page: Page, { app }: Site, parameters: Record<string, string>): Promise<void> {
  await page.goto(await app.signInUrl(parameters));
  await allow(page);
}

/** The error text next to a field. */
export async function problemBeside(page: Page, label: string): Promise<string> {
  const field = page.getByLabel(label, { exact: true });
  const [id = ''] = ((await field.getAttribute('aria-describedby')) ?? '').split(' ');
  const isInvalid = (await field.getAttribute('aria-invalid')) === 'true';
  return isInvalid ? page.locator(`[id="${id}"]`).innerText() : '';
}

/** Guesses a password ten times: the limit in a quarter of an hour. */
export async function guessTenTimes({ latchkey }: Site, login: string): Promise<void> {
  const guesser = latchkey.browser();
  const page = await guesser.get('/sign-in');
  for (let guess = 0; guess < 10; guess += 1) await guesser.submit(page, { login, password: `guess ${guess}` });
}

/** The link printed at the first start. */
export function setupLink({ latchkey }: Site): string {
  return /Setup: (\S+)/.exec(latchkey.server.output())?.[1] ?? '';
}

export async function createAdministrator(
  page: Page,
  {
    username = 'ada',
    secret = 'a long sentence',
    again = secret,
  }: { username?: string; secret?: string; again?: string },
): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Your name').fill('Ada Admin');
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByLabel('Repeat password').fill(again);
  await page.getByRole('button', { name: 'Create administrator' }).click();
}

type NewPassword = { current?: string; next: string; again?: string };

export async function changePassword(
  page: Page,
  { current = password, next, again = next }: NewPassword,
): Promise<void> {
  await page.getByLabel('Current password').fill(current);
  await page.getByLabel('New password', { exact: true }).fill(next);
  await page.getByLabel('Repeat new password').fill(again);
  await page.getByRole('button', { name: 'Change password' }).click();
}
