import { forbiddenBecause } from '../../../domain/access/index.ts';
import { type CallInput, inProcess } from '../../../platform/http/index.ts';
import { type AdminAnswer, type AdminClient, type AdminRouteName, adminClient } from '../../admin/index.ts';
import type { PagesDeps } from '../pages.ts';
import { type Administrator, mayDo } from './administrator.ts';

export type RouteName = AdminRouteName;

/** The admin API as one user: the console reads and changes everything through its routes, their permissions and schemas. */
export class PersonalAdminClient {
  readonly #deps: PagesDeps;
  readonly #who: Administrator;
  readonly #client: AdminClient;

  constructor(deps: PagesDeps, who: Administrator) {
    this.#deps = deps;
    this.#who = who;
    this.#client = adminClient(inProcess(deps.admin.deps, who.actor));
  }

  /** Whether the user may use a route. */
  may(name: RouteName): boolean {
    return mayDo(this.#who, this.#client.route(name).permission);
  }

  /** @throws Problem 403 that names the permission, and why it is missing */
  async mustBeAllowed(name: RouteName): Promise<void> {
    const { permission } = this.#client.route(name);
    if (mayDo(this.#who, permission)) return;
    const { audience: resource } = this.#deps.admin;
    const asked = { subject_id: this.#who.user.id, scopes: ['latchkey:*'], resource, permission };
    throw await forbiddenBecause(this.#deps, asked);
  }

  /**
   * The response of a route, as its callers over HTTP see it.
   *
   * @throws Problem of the route
   */
  async call<Name extends RouteName>(name: Name, input: CallInput = {}): Promise<AdminAnswer<Name>> {
    await this.mustBeAllowed(name);
    return this.#client.call(name, input);
  }
}
