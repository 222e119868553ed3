import { password } from './support/installation.ts';
import { startLatchkey } from './support/latchkey.ts';
import { missingLines, readPage, type Step } from './support/reader.ts';
import { testRootKey } from './support/server.ts';
import { UserAgent } from './support/user-agent.ts';

/** The pages in a newcomer's reading order: all with one installation, each from an empty folder. */
const pages = [
  ...['README.md', 'docs/protect-an-api.md', 'docs/guard.md', 'docs/web-app.md', 'docs/single-page-app.md'],
  ...[
    'docs/native-app.md',
    'docs/device.md',
    'docs/service.md',
    'docs/workloads.md',
    'docs/identity-assertions.md',
    'docs/api-keys.md',
    'docs/gateway.md',
  ],
  ...['docs/configuration-as-code.md', 'docs/admin-api.md', 'docs/console.md', 'docs/command-line.md'],
  ...['docs/credentials.md', 'docs/rotate-signing-keys.md', 'docs/audit-events.md', 'docs/leaked-credentials.md'],
  ...['docs/webhooks.md', 'docs/quickstarts/express.md', 'docs/quickstarts/aspnet.md'],
  ...['fastapi', 'go', 'grafana', 'kube-apiserver', 'nextjs', 'oauth2-proxy', 'spring'].map(
    (name) => `docs/quickstarts/${name}.md`,
  ),
];

/** A page starts a dozen commands and programs, one after the other. */
const patience = 600_000;

describe('the documentation, run in order', () => {
  const latchkey = startLatchkey({
    apply: { users: [{ username: 'alice', name: 'Alice Example', password, roles: ['owner'] }] },
  });

  const steps: Step[] = [
    {
      page: 'docs/web-app.md',
      when: /You are not signed in/,
      act: async (_, address) => {
        const browser = new UserAgent(address(4000));
        const asked = await browser.get('/sign-in');
        const allowed = await latchkey.visit(latchkey.browser(), asked.url);
        const page = await browser.get(allowed.url);
        expect(page.html).toMatch(/^You are Alice Example/);
      },
    },
    {
      page: 'docs/native-app.md',
      when: /(http:\S+\/oauth\/authorize\?\S+)/,
      act: async ([url]) => {
        const allowed = await latchkey.visit(latchkey.browser(), url);
        await fetch(allowed.url);
      },
    },
    {
      page: 'docs/device.md',
      when: /or open (http:\S+\/device\?user_code=\S+?)\)/,
      act: async ([, url = '']) => {
        const browser = latchkey.browser();
        const [user_code = ''] = url.split('user_code=').slice(1);
        let page = await browser.submit(await browser.get(url), { user_code }, '/device');
        page = await browser.submit(page, { confirm: 'yes' }, '/device');
        page = await browser.submit(page, { login: 'alice', password }, '/sign-in');
        page = await browser.submit(page, { decision: 'allow' }, '/consent');
        expect(page.url).toContain('/device/');
      },
    },
    {
      page: 'docs/quickstarts/express.md',
      when: /Signed out/,
      act: async (_, address) => {
        const browser = new UserAgent(address(4010));
        const asked = await browser.get('/profile');
        const allowed = await latchkey.visit(latchkey.browser(), asked.url);
        expect((await browser.get(allowed.url)).html).toContain('Alice Example');
      },
    },
  ];

  test.each(pages)(
    '%s works, and prints what it says',
    async (page) => {
      const read = await readPage(page, {
        issuer: latchkey.issuer,
        env: { DATABASE_URL: latchkey.database.url, LATCHKEY_ROOT_KEY: testRootKey },
        steps: steps.filter((step) => step.page === page),
      });
      expect({ code: read.code, output: read.code === 0 ? '' : read.output.slice(-3000) }).toEqual({
        code: 0,
        output: '',
      });
      const differing = read.ran.flatMap((each) => {
        const missing = missingLines(each);
        return missing.length > 0 ? [{ pasted: each.code, missing, printed: each.output }] : [];
      });
      expect(differing).toEqual([]);
      expect(read.ran.length).toBeGreaterThan(0);
    },
    patience,
  );
});
