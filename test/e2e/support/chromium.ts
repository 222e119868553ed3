import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const modules = path.join(import.meta.dirname, '../../../node_modules');
const run = promisify(execFile);

/**
 * Starts the Chromium that npm installed, or the one that LATCHKEY_TEST_CHROMIUM names where the former does not run (it is built for
 * x64 Linux). The package's own arguments would disable CORS, CSP and cookie rules, which are tested here.
 */
export async function launchChromium(): Promise<Browser> {
  const args = ['--no-sandbox'];
  const executablePath = process.env.LATCHKEY_TEST_CHROMIUM;
  if (executablePath) return chromium.launch({ executablePath, args });
  const folder = await unpackedChromium();
  // The package contains its libraries (nss, expat) and a font, so that a minimal machine needs no others.
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: path.join(folder, 'al2023/lib'),
    FONTCONFIG_FILE: path.join(folder, 'fonts.conf'),
  };
  return chromium.launch({ executablePath: path.join(folder, 'chromium'), args, env });
}

/** The folder with the unpacked browser; the first process unpacks it, others never see it incomplete. */
async function unpackedChromium(): Promise<string> {
  const { version } = JSON.parse(await readFile(path.join(modules, '@sparticuz/chromium/package.json'), 'utf8'));
  const folder = path.join(modules, '.cache', `chromium-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(path.dirname(folder), { recursive: true });
  const staging = await mkdtemp(`${folder}-`);
  await run(process.execPath, [path.join(import.meta.dirname, 'unpack-chromium.ts')], { env: { TMPDIR: staging } });
  await writeFile(path.join(staging, 'fonts.conf'), fontConfiguration(folder));
  await rename(staging, folder).catch(async (error) => {
    if (!existsSync(path.join(folder, 'chromium'))) throw error;
    await rm(staging, { recursive: true, force: true });
  });
  return folder;
}

/** The machine's fonts, or that of the package if there are none. */
function fontConfiguration(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`;
}
