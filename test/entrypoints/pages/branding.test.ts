import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { consoleAs } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { password, standardInstallation } from '../../support/installation.ts';
import { queueJob } from '../../support/jobs.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { MailServer, plain } from '../../support/mail-server.ts';

const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

/** A real PNG, a square of one colour, without checksums, which nothing here reads. */
function png(side: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const pixels = deflateSync(Buffer.alloc((side + 1) * side));
  const chunks = [chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...chunks]);
}

describe('an installation with its own branding', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-brand-'));
  const logoFile = join(folder, 'logo.png');
  writeFileSync(logoFile, png(64));
  let mail: MailServer;
  let host: Server;
  let requests: string[] = [];
  const bodies: Record<string, Buffer> = {
    '/one.png': png(48),
    '/two.png': png(49),
    '/drawing.png': Buffer.from(svg),
    '/middle.png': Buffer.concat([png(51), Buffer.alloc(100 * 1024)]),
    '/large.png': Buffer.concat([png(50), Buffer.alloc(300 * 1024)]),
  };
  const latchkey = startLatchkey({
    apply: standardInstallation,
    prepare: async () => {
      mail = await MailServer.open();
      host = createServer((request, response) => {
        requests.push(request.url ?? '');
        if (request.url === '/moved.png') response.writeHead(302, { location: '/one.png' }).end();
        else response.writeHead(200, { 'content-type': 'text/html' }).end(bodies[request.url ?? '']);
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => host.once('listening', resolve));
      const brand = {
        LATCHKEY_BRAND_ACCENT: '#7a1f5f',
        LATCHKEY_BRAND_LOGO: logoFile,
        LATCHKEY_LANGUAGE: 'de',
        LATCHKEY_DOCS: 'off',
      };
      return { env: { ...mail.settings, ...brand } };
    },
  });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  beforeEach(() => {
    requests = [];
  });
  afterAll(async () => {
    host.close();
    await mail.close();
    rmSync(folder, { recursive: true });
  });

  const at = (path: string) => `http://127.0.0.1:${(host.address() as AddressInfo).port}${path}`;
  const name = (logo_uri: string | null) => owner.patch('/clients/web-app', { logo_uri });
  const fetchLogos = async () => {
    const { database } = latchkey;
    const id = await queueJob(database, 'fetch-client-logos');
    const state = () => database.query('select state from pgboss.job where id = $1', [id]);
    await eventually(state, (found) => found.rows[0]?.state === 'completed');
  };
  const signInPage = () => latchkey.browser().get(latchkey.authorizeUrl());
  const logoOn = ({ html }: { html: string }) => /<img class="logo" src="(\/client-logos\/[^"]*)"/.exec(html)?.[1];

  test('serves no docs, and no links to them, if they are disabled', async () => {
    const browser = latchkey.browser();
    expect(await browser.get('/docs')).toMatchObject({ status: 404 });
    expect((await browser.get('/')).html).not.toContain('href="/docs"');
  });

  test('shows its name, colours and logo on pages, from files that never change', async () => {
    const { html } = await signInPage();
    expect(html).toContain('Example &amp; Sons');
    const [, colours = ''] = /href="(\/assets\/brand\.[0-9a-f]{16}\.css)"/.exec(html) ?? [];
    const [, logo = ''] = /src="(\/assets\/logo\.[0-9a-f]{16}\.png)"/.exec(html) ?? [];
    const css = await send(latchkey.issuer, colours);
    expect(css.body.text).toContain('--accent: #7a1f5f');
    const image = await fetch(`${latchkey.issuer}${logo}`);
    expect(image.headers.get('content-type')).toBe('image/png');
    expect(image.headers.get('cache-control')).toContain('immutable');
    expect(Buffer.from(await image.arrayBuffer()).equals(png(64))).toBe(true);
  });

  test('shows administrators how sign-in and consent look', async () => {
    const console = await consoleAs(latchkey);
    const page = await console.get('/settings');
    const preview = /<div class="previews">[\s\S]*?<\/section>/.exec(page.html)?.[0] ?? '';
    expect(preview.match(/<img class="logo" src="\/assets\/logo\.[0-9a-f]{16}\.png"/g)).toHaveLength(2);
    expect(preview.match(/Example &amp; Sons/g)?.length).toBeGreaterThan(1);
    expect(preview).not.toMatch(/<(?:form|input|button|a)\b/);
  });

  test('uses its own language if no other is requested, and sends its mail so, with its logo inside', async () => {
    expect((await signInPage()).html).toContain('<html lang="de">');
    await owner.post('/users', { username: 'ivy', email: 'ivy@example.com', invite: true });
    const [letter] = await eventually(
      () => mail.letters,
      ({ length }) => length > 0,
    );
    const source = plain(letter?.source ?? '');
    expect(source).toMatch(/^Subject: =\?UTF-8\?Q\?Legen_Sie_Ihr_Passwort/m);
    expect(source).toContain('<html lang="de">');
    expect(source).toContain('color: #7a1f5f');
    expect(source).toMatch(/Content-ID: <logo>/);
    expect(source).not.toMatch(/src="http/);
  });

  test('serves the logo of a client from its own address, fetched once', async () => {
    expect(logoOn(await signInPage())).toBeUndefined();
    expect(await name(at('/one.png'))).toMatchObject({ status: 200 });
    await fetchLogos();
    await fetchLogos();
    expect(requests).toEqual(['/one.png']);
    const browser = latchkey.browser();
    const page = await browser.get(latchkey.authorizeUrl());
    const logo = logoOn(page) ?? '';
    expect(page.html).not.toContain(at(''));
    const image = await fetch(`${latchkey.issuer}${logo}`);
    expect(Object.fromEntries(image.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(Buffer.from(await image.arrayBuffer()).equals(png(48))).toBe(true);

    const consent = await browser.submit(page, { login: 'alice', password }, '/sign-in');
    expect(logoOn(consent)).toBe(logo);
    expect(consent.html).toContain('<code>web-app</code>');
    expect(consent.html).toContain('<strong>client.example</strong>');
    await browser.submit(consent, { decision: 'allow' }, '/consent');
    expect(logoOn(await browser.get('/account/apps'))).toBe(logo);
  });

  test('shows the new logo and not the old one after a client changes it', async () => {
    await name(at('/one.png'));
    await fetchLogos();
    const before = logoOn(await signInPage());
    await name(at('/two.png'));
    expect(logoOn(await signInPage())).toBeUndefined();
    await fetchLogos();
    const after = logoOn(await signInPage());
    expect([typeof before, typeof after, before === after]).toEqual(['string', 'string', false]);
    expect((await send(latchkey.issuer, before ?? '')).status).toBe(404);
    await name(null);
    await fetchLogos();
    expect((await send(latchkey.issuer, after ?? '')).status).toBe(404);
  });

  test.each([
    ['an SVG under the name of a PNG', () => at('/drawing.png')],
    ['more than 256 KiB', () => at('/large.png')],
    ['a redirect', () => at('/moved.png')],
    ['an address inside the network (CWE-918)', () => 'https://10.0.0.1/logo.png'],
    ['an address of the cloud', () => 'https://169.254.169.254/latest/meta-data'],
  ])('shows no logo if a client names %s, and does not fetch again at once', async (_, uri) => {
    expect(await name(uri())).toMatchObject({ status: 200 });
    await fetchLogos();
    const asked = requests.length;
    await fetchLogos();
    expect(requests).toHaveLength(asked);
    expect(requests).not.toContain('/one.png');
    expect(logoOn(await signInPage())).toBeUndefined();
  });

  test('shows no logo of more than 64 KiB if no operator registered the client', async () => {
    const registeredBy = (by: string) =>
      latchkey.database.query('update clients set registered_by = $1 where client_id = $2', [by, 'web-app']);
    await name(at('/middle.png'));
    await fetchLogos();
    expect(logoOn(await signInPage())).toBeDefined();
    await name(null);
    await fetchLogos();
    await name(at('/middle.png'));
    await registeredBy('dynamic');
    await fetchLogos();
    expect(logoOn(await signInPage())).toBeUndefined();
    await registeredBy('operator');
    await name(null);
  });

  test.each(['x', 'a'.repeat(64), 'A'.repeat(64), '%00', "'%20or%201=1"])('has no logo named %s', async (digest) => {
    expect((await send(latchkey.issuer, `/client-logos/${digest}`)).status).toBe(404);
  });
});
