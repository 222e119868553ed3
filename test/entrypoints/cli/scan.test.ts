import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateCredential } from '../../../src/platform/crypto/index.ts';
import { runCommand } from '../../support/server.ts';

// Assembled here, so that no scanner takes this file for a leak.
const ofProviders = {
  'AWS Secret Access Key': `aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/${'bPxRfiCYABCDEFGHIJ'}`,
  'GitHub Token': `ghp_${'a1B2'.repeat(9)}`,
  'slack token': `xoxb-123456789012-1234567890123-${'AbCdEfGhIjKlMnOpQrStUvWx'}`,
  'PostgreSQL connection string': `postgres://shop:${'s3cr3tpw'}@db.example.com/shop`,
  'Anthropic Claude API key': `sk-ant-api03-${'a'.repeat(93)}AA`,
  'npm access token': `npm_${'a1B2'.repeat(9)}`,
};

describe('latchkey scan', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-scan-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Buffer) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  };
  const scan = (...args: string[]) => runCommand(['scan', ...args], {});

  test('finds credentials of Latchkey and of providers by file and line, and prints no value', async () => {
    const own = [generateCredential('sk_prod_'), generateCredential('lk_cs_'), generateCredential('lk_rt_')];
    write('a/keys.txt', `# ${own[0]}\nsecret: "${own[1]}"\n${own[2]}\n`);
    const theirs = Object.values(ofProviders);
    write('.env', `PORT=3000\n${theirs.join('\n')}\n`);
    // The lookalike has a wrong checksum; the other files are generated.
    write('a/look-alike.txt', `sk_prod_${'a'.repeat(49)}`);
    write('node_modules/x/index.js', own[0] as string);
    write('.git/config', own[0] as string);
    write('image.bin', Buffer.concat([Buffer.from([0]), Buffer.from(own[0] as string)]));
    symlinkSync(path.join(folder, 'a'), path.join(folder, 'link'));
    const { code, stdout, stderr } = await scan(folder, '--json');
    const { items, files } = JSON.parse(stdout);
    const at = (name: string, line: number, column: number, kind: string) => ({
      ...{ path: path.join(folder, name), line, column, kind },
    });
    expect(items).toEqual([
      ...Object.keys(ofProviders).map((kind, n) => ({ ...at('.env', n + 2, 0, kind), column: expect.any(Number) })),
      at('a/keys.txt', 1, 3, 'Latchkey API key'),
      at('a/keys.txt', 2, 10, 'Latchkey client secret'),
      at('a/keys.txt', 3, 1, 'Latchkey refresh token'),
    ]);
    expect([code, files]).toEqual([1, 3]);
    const shown = await scan(folder);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain(`${path.join(folder, 'a/keys.txt')}:2:10  Latchkey client secret`);
    const printed = [stdout, stderr, shown.stdout, shown.stderr].join();
    for (const value of [...own, ...theirs]) expect(printed).not.toContain(value.slice(-12));
  });

  test('finds each private key of a file, with any algorithm, and no placeholder', async () => {
    const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' = 'pkcs8') => key.export({ type, format: 'pem' }).toString();
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const keys = [rsa, ec, ec, generateKeyPairSync('ed25519').privateKey].map((key, n) =>
      pem(key, n === 2 ? 'sec1' : 'pkcs8'),
    );
    write('keys/all.pem', keys.join('\n'));
    write('keys/account.json', JSON.stringify({ private_key: keys[1] }));
    write('keys/README.md', `-----BEGIN ${'PRIVATE'} KEY-----\nMIIEv…\n-----END PRIVATE KEY-----\n`);
    const { items } = JSON.parse((await scan(path.join(folder, 'keys'), '--json')).stdout);
    const lines = keys.map((_, n) => keys.slice(0, n).join('\n').split('\n').length + (n === 0 ? 0 : 1));
    expect(items).toEqual([
      { path: path.join(folder, 'keys/account.json'), line: 1, column: 17, kind: 'private key' },
      ...lines.map((line) => ({ path: path.join(folder, 'keys/all.pem'), line, column: 1, kind: 'private key' })),
    ]);
  });

  test('prints names of files in one line, and leaves no control of the terminal to them', async () => {
    write('names/\u001b[2J\nkeys\u202e.txt', generateCredential('lk_cs_'));
    write('names/large\n::error.log', 'x'.repeat(5 * 1024 * 1024 + 1));
    const { stdout, stderr } = await scan(path.join(folder, 'names'));
    expect(stdout).toContain('names/\\u001b[2J\\u000akeys\\u202e.txt:1:1');
    expect(stderr).toContain('Skipped ');
    expect(stderr).toContain('large\\u000a::error.log: it is larger');
    for (const sent of ['\u001b', '\u202e']) expect(stdout + stderr).not.toContain(sent);
  });

  test('exits with 0 where there are none, 2 where there is nothing to read, and lists what it skipped', async () => {
    const clean = path.join(folder, 'clean');
    mkdirSync(clean);
    writeFileSync(path.join(clean, 'large.log'), 'x'.repeat(5 * 1024 * 1024 + 1));
    expect(await scan(clean)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No credentials in 0 files.'),
      stderr: expect.stringContaining('large.log: it is larger than 5 MiB'),
    });
    expect(await scan(path.join(folder, 'nowhere'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no folder or file'),
    });
  });
});
