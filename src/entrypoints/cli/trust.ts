import { Command } from 'commander';
import { command, later, repeated } from './command.ts';

const actions = () => import('./actions/trust.ts');
const trustArgument = 'its name or id';

/** `latchkey trust …` */
export function trustCommand(): Command {
  const trust = new Command('trust').description(
    'foreign issuers whose tokens are accepted, such as clusters and CI systems',
  );
  for (const each of [create(), list(), show(), explain(), disable(), enable(), deleteWorkload()])
    trust.addCommand(each);
  return trust;
}

function create(): Command {
  return command(
    'create',
    'accept the tokens of an issuer',
    'latchkey trust create deployments --issuer https://token.actions.githubusercontent.com --prefix "sub=repo:acme/shop" --permission "https://api.example=read"',
  )
    .argument('<name>')
    .requiredOption('--issuer <issuer>', 'the iss of its tokens')
    .option(
      '--kind <kind>',
      'workload, id_jag for identity assertions about users, or login to let users sign in',
      'workload',
    )
    .option(
      '--claim <claim=value>',
      'the required value of a claim; may be repeated, also for several values',
      repeated,
      [],
    )
    .option('--prefix <claim=text>', 'the required beginning of a claim; may be repeated', repeated, [])
    .option(
      '--permission <api=scopes>',
      'the scopes of its workloads, or of clients for its users; may be repeated',
      repeated,
      [],
    )
    .option('--audience <audience>', 'the aud of its tokens, if it is not this issuer')
    .option('--jwks-uri <url>', 'the URL of its keys, if they are not found by discovery')
    .option('--jwks <file>', 'a file with its public keys, for an issuer that cannot be reached')
    .option('--role <role>', 'a role that its workloads have; may be repeated', repeated, [])
    .option(
      '--token-review <url>',
      'a Kubernetes API server that reviews each token; the token of the reviewer is read from standard input',
    )
    .option('--token-review-ca <file>', 'a file with the certificate authority of that server')
    .option('--ttl <seconds>', 'the maximum lifetime of the access tokens')
    .option('--one-time', 'accept each token once')
    .option('--provider <provider>', 'for the kind login: oidc, google, microsoft or github', 'oidc')
    .option(
      '--client-id <id>',
      'for the kind login: the client_id of this server; its secret is read from standard input',
    )
    .option('--label <name>', 'for the kind login: the name of the provider on the button')
    .option(
      '--email-domain <domain>',
      'for the kind login: a domain for which the provider is authoritative; may be repeated',
      repeated,
      [],
    )
    .option('--creation <policy>', 'for the kind login, accounts for new users: off, domains or open', 'off')
    .option(
      '--role-mapping <claim=value=role>',
      'for the kind login: the role of users whose claim has the value; may be repeated',
      repeated,
      [],
    )
    .option(
      '--mapped-role-days <days>',
      'for the kind login: for how many days after a sign-in these roles are active',
      '7',
    )
    .option('--for-administrators', 'for the kind login: administrators may sign in with it')
    .action(later(async () => (await actions()).create));
}

function list(): Command {
  return command('list', 'list the trusts', 'latchkey trust list')
    .option('--search <text>', 'only trusts with this text in the name or issuer')
    .option('-n, --limit <number>', 'the maximum number of trusts', '50')
    .option('--cursor <cursor>', 'the `next` of the previous page')
    .action(later(async () => (await actions()).list));
}

function show(): Command {
  return command('show', 'show a trust', 'latchkey trust show deployments')
    .argument('<trust>', trustArgument)
    .action(later(async () => (await actions()).show));
}

function explain(): Command {
  return command(
    'explain',
    'explain whether a trust accepts a token, and which check fails; nothing is issued or used',
    'latchkey trust explain deployments < token.jwt',
  )
    .argument('<trust>', trustArgument)
    .action(later(async () => (await actions()).explain));
}

function disable(): Command {
  return command(
    'disable',
    'disable a trust and its workloads; every token issued under it is revoked',
    'latchkey trust disable deployments',
  )
    .argument('<trust>', trustArgument)
    .option('--yes', 'do not ask')
    .action(later(async () => (await actions()).disable));
}

function deleteWorkload(): Command {
  return command(
    'delete-workload',
    'delete the client of a workload; its tokens are revoked, and its next request registers it again',
    'latchkey trust delete-workload deployments workload-0123456789abcdef0123456789abcdef',
  )
    .argument('<trust>', trustArgument)
    .argument('<client-id>', 'the client_id of the workload')
    .action(later(async () => (await actions()).deleteWorkload));
}

function enable(): Command {
  return command(
    'enable',
    'enable a trust and its workloads; tokens from before stay revoked',
    'latchkey trust enable deployments',
  )
    .argument('<trust>', trustArgument)
    .action(later(async () => (await actions()).enable));
}
