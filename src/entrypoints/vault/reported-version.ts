import { createHash } from 'node:crypto';

/**
 * Clients choose their requests by the version of Vault: Terraform's provider skips what an earlier version does not support, exits if
 * there is no semantic version (`internal/provider/meta.go`: `IsAPISupported`, `getVaultVersion`), and takes `ent` in the part after `+`
 * for the enterprise edition. So this is the version of the API, and our own version is where comparisons do not look (Semantic Versioning
 * 2.0.0 §10).
 */
const vaultVersion = '1.17.0';
/** When Vault 1.17.0 was built. Clients that check responses require a time. */
const vaultBuildDate = '2024-06-10T10:11:34Z';

/** The version in responses about the state. */
export function reportedVersion({ version }: { version: string }) {
  return { version: `${vaultVersion}+latchkey-${version}`, build_date: vaultBuildDate };
}

/** What Vault reports of a plugin that it contains. */
export const builtIn = {
  ...{ deprecation_status: 'supported', plugin_version: '', running_sha256: '' },
  running_plugin_version: `v${vaultVersion}+builtin.vault`,
};

/** An id that is the same on every server of an issuer (RFC 9562 §5.8). */
export function stableId(issuer: string, of: string): string {
  const hex = createHash('sha256').update(`${issuer} ${of}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
