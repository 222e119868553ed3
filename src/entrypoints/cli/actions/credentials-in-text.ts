import { lintSource } from '@secretlint/core';
import { creator as commonProviders } from '@secretlint/secretlint-rule-preset-recommend';
import { parseCredential, secretLength } from '../../../platform/crypto/index.ts';
import { inLine } from './output.ts';

/** A credential in a text, without its value. Lines and columns count from 1. */
type FoundCredential = { line: number; column: number; kind: string };

const ours = /\b(lk_[a-z]{2,8}_|sk_[a-z][a-z0-9]{0,15}_)[0-9A-Za-z]{49}(?![0-9A-Za-z])/g;
const kinds: Readonly<Record<string, string>> = {
  lk_at_: 'access token',
  lk_rt_: 'refresh token',
  lk_ac_: 'authorization code',
  lk_cs_: 'client secret',
  lk_si_: 'secret id of AppRole',
  lk_rb_: 'secret of a remembered browser',
  lk_wt_: 'token of a wrapped answer',
  lk_pw_: 'link to choose a password',
  lk_setup_: 'setup link',
};

/** The credentials in a text: Latchkey's own, which have a checksum, and those of common providers. */
export async function credentialsIn(text: string, file: string): Promise<FoundCredential[]> {
  const own = [...ownCredentialsIn(text), ...privateKeysIn(text)];
  const others = (await credentialsOfProviders(text, file)).filter(
    ({ line, column }) => !own.some((each) => each.line === line && each.column === column),
  );
  return [...own, ...others].sort((left, right) => left.line - right.line || left.column - right.column);
}

function ownCredentialsIn(text: string): FoundCredential[] {
  return [...text.matchAll(ours)].flatMap(({ 0: value, 1: prefix = '', index }) => {
    if (parseCredential(prefix, secretLength, value) === undefined) return [];
    const kind = prefix.startsWith('sk_') ? 'API key' : (kinds[prefix] ?? 'credential');
    return [{ ...placeIn(text, index), kind: `Latchkey ${kind}` }];
  });
}

const keyBegins = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?)-----/g;
const longestKey = 20_000;
const headerLine = /^[A-Za-z][\w-]*: .*$/gm;
/** Of 48 characters or more: a key of Ed25519 has 64. */
const keyMaterial = /^[A-Za-z0-9+/]{48,}={0,2}(?:=[A-Za-z0-9+/]{4})?$/;

/**
 * Private keys in PEM (RFC 7468, RFC 4880), each separately. The rules for providers only know those of RSA. A file with an exception
 * comment is left to them, because they evaluate it.
 */
function privateKeysIn(text: string): FoundCredential[] {
  if (text.includes('secretlint-disable')) return [];
  return [...text.matchAll(keyBegins)].flatMap(({ 0: begin, 1: label, index }) => {
    const rest = text.slice(index + begin.length, index + longestKey);
    const [content, end] = rest.split(`-----END ${label}-----`, 2);
    // Keys on one line have escaped line ends, as in JSON.
    const material = content?.replaceAll(headerLine, '').replaceAll(/\s|\\[nr]/g, '') ?? '';
    const isKey = end !== undefined && keyMaterial.test(material);
    return isKey ? [{ ...placeIn(text, index), kind: 'private key' }] : [];
  });
}

function placeIn(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

async function credentialsOfProviders(text: string, file: string): Promise<FoundCredential[]> {
  const { messages } = await lintSource({
    // Its profiler cannot read names with several lines.
    source: { content: text, filePath: inLine(file), contentType: 'text' },
    options: {
      // Otherwise its messages contain the value.
      maskSecrets: true,
      config: { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: commonProviders }] },
    },
  });
  return messages.map(({ message, loc: { start } }) => ({
    ...{ line: start.line, column: start.column + 1 },
    kind:
      message
        .split(':')[0]
        ?.replace(/^found /i, '')
        .replace(/ ?\(\*+\)/, '') ?? '',
  }));
}
