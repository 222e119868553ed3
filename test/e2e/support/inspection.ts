import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Page } from 'playwright-core';

type Finding = { id: string; help: string; nodes: { html: string; failureSummary?: string }[] };

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const output = path.join(import.meta.dirname, '../../output');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
// Target size (WCAG 2.2, 2.5.8) is the one rule that a tag does not enable.
const everything = { runOnly: tags, rules: { 'target-size': { enabled: true } } };
// The dark scheme changes only colours: only the rules about colours are checked again.
const audits = {
  light: everything,
  dark: { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } },
};
// Pictures are for reviewers; no check uses them.
const takesPictures = process.env.LATCHKEY_TEST_PICTURES !== 'off';

const desktop = { width: 900, height: 860 };
/** A phone, the width of WCAG 1.4.10, and a window of 1280 pixels at 200 %. */
const narrowWidths = [375, 320, 640];

/** For `browser.open`: moving elements would be measured in the wrong place. */
export const still = { reducedMotion: 'reduce', viewport: desktop } as const;

/** Takes the page's pictures (light, dark, phone), and returns every visual defect. */
export async function inspect(page: Page, name: string): Promise<string[]> {
  // A click is over before the page that it opens has loaded.
  await page.waitForLoadState();
  const problems = await jumps(page);
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    problems.push(...(await obstacles(page, colorScheme)).map((problem) => `${colorScheme}: ${problem}`));
    await photograph(page, `${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  for (const width of narrowWidths) {
    await page.setViewportSize({ width, height: 760 });
    const overflow = await page.evaluate<number>('probe.overflow()');
    if (overflow > 0) problems.push(`${width} px: ${overflow} px too wide`);
    if (width === 375) await photograph(page, `${name}-phone`);
  }
  await page.setViewportSize(desktop);
  return problems;
}

async function jumps(page: Page): Promise<string[]> {
  const found = await page.evaluate<string[]>('probe.jumps()');
  return found.map((jump) => `moves while it loads: ${jump}`);
}

/** The violations that axe reports. */
async function obstacles(page: Page, colorScheme: keyof typeof audits): Promise<string[]> {
  const options = JSON.stringify(audits[colorScheme]);
  const findings = await page.evaluate<Finding[]>(`axe.run(${options}).then(({ violations }) => violations)`);
  return findings.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html} ${failureSummary}`),
  );
}

async function photograph(page: Page, name: string): Promise<void> {
  if (!takesPictures) return;
  await page.screenshot({ path: path.join(output, `${name}.png`), fullPage: true, animations: 'disabled' });
}
