import { type Database, GroupCommit, type HotResult, type HotStatement } from '../../../platform/database/index.ts';
import type { Metrics } from '../../../platform/metrics/index.ts';
import { type BatchShape, judgeStatement, wholeShape } from './commit.ts';
import { grantTypes, type Verdict } from './grants/index.ts';
import type { UnitRow } from './unit-row.ts';

type CommitterDeps = {
  now: () => Date;
  metrics: Metrics;
  /** Whether no other request is in flight that could join the batch. */
  isAlone: () => boolean;
};

/** Judges and writes the token requests of all connections together (DESIGN.md §5). */
export class Committer {
  readonly #group: GroupCommit<UnitRow, Verdict>;
  readonly #metrics: Metrics;

  constructor(database: Database, { now, metrics, isAlone }: CommitterDeps) {
    this.#metrics = metrics;
    this.#group = new GroupCommit(database, {
      statements: (rows) => [unitStatement(rows, now())],
      verdicts,
      // The second use of a token is judged after the first is written.
      keyOf: ({ presented, family_id }) => (presented ? family_id : undefined),
      hasWritten: (verdict) => verdict === 'won' || verdict === 'grace',
      isAlone,
      observer: { sent: (size) => metrics.tokenBatch(size), retried: () => metrics.tokenTransaction('busy') },
    });
  }

  /**
   * Judges and writes one unit.
   *
   * @throws DatabaseUnavailableError: whether it took effect is unknown
   */
  async commit(row: UnitRow): Promise<Verdict> {
    const verdict = await this.#group.commit(row);
    this.#metrics.tokenTransaction(verdict);
    return verdict;
  }
}

function unitStatement(units: readonly UnitRow[], now: Date): HotStatement {
  const rows = units.map((row, n) => ({ ...row, n }));
  return { ...judgementOf(rows), values: [JSON.stringify(rows), now] };
}

type Judgement = Pick<HotStatement, 'name' | 'text'>;

const prepare = (name: string, shape: BatchShape): Judgement => ({ name, text: judgeStatement(shape) });
const ofAnyBatch = prepare('judge units', wholeShape);
/** Most batches have one grant type and one token format: those have statements of their own, few enough to be kept prepared. */
const ofUniformBatches = new Map(
  grantTypes.flatMap((grant) =>
    wholeShape.tokens.map((form): [string, Judgement] => {
      const key = `${grant.source} ${form}`;
      return [key, prepare(`judge ${key}`, { grants: [grant], tokens: [form] })];
    }),
  ),
);

function judgementOf(rows: readonly UnitRow[]): Judgement {
  const keys = new Set(rows.map(({ source, access_jti }) => `${source} ${access_jti ? 'structured' : 'opaque'}`));
  const [key = '', ...others] = keys;
  return (others.length === 0 && ofUniformBatches.get(key)) || ofAnyBatch;
}

function verdicts(answers: readonly HotResult[]): Map<number, Verdict> {
  const judged = answers.at(-1);
  const decided = (judged?.rows ?? []).filter(({ verdict }) => verdict !== 'busy');
  return new Map(decided.map((row) => [row.n as number, row.verdict as Verdict]));
}
