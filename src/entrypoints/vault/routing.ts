import type { SecretChanges, SecretsDeps } from '../../domain/secrets/index.ts';
import type { VaultRoleDeps } from '../../domain/vault-roles/index.ts';
import type { Origin } from '../../platform/http/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import type { LogInDeps } from '../oauth/index.ts';
import type { VaultAnswer } from './answers.ts';
import type { CallerDeps, VaultCaller } from './callers.ts';
import type { Operation, VaultRequest } from './vault-request.ts';

/** The dependencies of the handlers of Vault's API. */
export type VaultDeps = SecretsDeps &
  CallerDeps & {
    logIn: LogInDeps;
    tokenSeconds: number;
    /** Requests that wait for new versions. */
    secretChanges: SecretChanges;
    /** The rules for the clients of roles. */
    validateMetadata: VaultRoleDeps['validateMetadata'];
    /** Whether issuers may be read without TLS, from this machine: in development only. */
    allowHttp: boolean;
    version: string;
    log: Logger;
    /** Whether anyone may initialize the vault: on the machine of a developer. */
    isTutorial: boolean;
    /** Issues a token for the developer who initialized the vault. */
    tutorialToken: (origin: Origin) => Promise<string>;
  };

/** A request with the parameters of its path, and its caller. */
export type Asked = {
  request: VaultRequest;
  /** The parts of the path that match the placeholders of a route, in order. */
  names: readonly string[];
  body: Record<string, unknown>;
};

/** A request with a valid token. */
export type Called = Asked & { caller: VaultCaller };

type Handler<Given> = (deps: VaultDeps, asked: Given) => Promise<VaultAnswer>;

/** A path of Vault's API, with its handler for each operation. */
export type VaultRoute = {
  path: RegExp;
  /** The path for metrics. */
  route: string;
  /** The maximum length of its body; 64 KiB by default. */
  bodyBytes?: number;
  /** Responses without a token are wrapped if the request asks for it, like all with a token. */
  wraps?: true;
  /** Load balancers and key holders send it to the address of each server, whatever the issuer is. */
  anyHost?: true;
  /** Operations without a token. */
  open?: Partial<Record<Operation, Handler<Asked>>>;
  /** Operations with a token. */
  closed?: Partial<Record<Operation, Handler<Called>>>;
};
