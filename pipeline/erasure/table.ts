/** The table `erasures`: who had what forgotten, without saying what. */
import Type from 'typebox'
import type { Store } from '../../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../../infra/store/store-time.ts'
import type { Target } from './target.ts'

export interface ErasureCounts {
  readonly rows: number
  readonly rescoredRows: number
  readonly alerts: number
  readonly records: number
  readonly letters: number
  readonly keptRecords: number
}

export const noCounts: ErasureCounts = {
  rows: 0,
  rescoredRows: 0,
  alerts: 0,
  records: 0,
  letters: 0,
  keptRecords: 0,
}

export interface Erasure {
  readonly id: string
  readonly target: Target
  /** Milliseconds since 1970. What the log took later is not forgotten. */
  readonly begunAt: number
  /** Undefined until it is done. */
  readonly doneAt: number | undefined
  readonly by: string
  readonly note: string
  readonly counts: ErasureCounts
}

export const ErasureView = Type.Object({
  id: Type.String({ description: "'' of a dry run." }),
  state: Type.Enum(['begun', 'done', 'dry run']),
  post_id: Type.String({
    description: "'' where an author was forgotten, whose name is not kept.",
  }),
  source: Type.String({ description: "'' for any." }),
  begun_at: Type.String(),
  done_at: Type.Union([Type.String(), Type.Null()]),
  by: Type.String(),
  note: Type.String(),
  rows: Type.Integer({ description: 'Of analyses.' }),
  rescored_rows: Type.Integer(),
  alerts: Type.Integer({ description: 'Events and snapshots of alerts whose texts were emptied.' }),
  records: Type.Integer({ description: 'Of the topic posts, rewritten.' }),
  letters: Type.Integer({ description: 'Of the topic posts.dead, rewritten.' }),
  kept_records: Type.Integer({ description: 'Records and letters that Kafka keeps as they are.' }),
  message: Type.String({ description: 'What is not forgotten, and why.' }),
})
export type ErasureView = Type.Static<typeof ErasureView>

interface Row {
  readonly id: string
  readonly begun_at: string
  readonly done_at: string | null
  readonly post_id: string
  readonly author_hash: string
  readonly salt: string
  readonly source: string
  readonly person: string
  readonly note: string
  readonly rows: number
  readonly rescored_rows: number
  readonly alerts: number
  readonly records: number
  readonly letters: number
  readonly kept_records: number
}

/** Oldest first. */
export async function readErasures(store: Pick<Store, 'query'>): Promise<Erasure[]> {
  const rows = await store.query<Row>('SELECT * FROM erasures FINAL ORDER BY begun_at, id')
  return rows.map((row) => ({
    id: row.id,
    target: {
      postId: row.post_id,
      authorHash: row.author_hash,
      salt: row.salt,
      source: row.source,
    },
    begunAt: fromStoreTime(row.begun_at),
    doneAt: row.done_at === null ? undefined : fromStoreTime(row.done_at),
    by: row.person,
    note: row.note,
    counts: {
      rows: row.rows,
      rescoredRows: row.rescored_rows,
      alerts: row.alerts,
      records: row.records,
      letters: row.letters,
      keptRecords: row.kept_records,
    },
  }))
}

/** Durable when it resolves. */
export async function saveErasure(store: Pick<Store, 'insert'>, erasure: Erasure): Promise<void> {
  const { id, target, begunAt, doneAt, by, note, counts } = erasure
  await store.insert('erasures', [
    {
      id,
      step: doneAt === undefined ? 0 : 1,
      begun_at: toStoreTime(begunAt),
      done_at: doneAt === undefined ? null : toStoreTime(doneAt),
      post_id: target.postId,
      author_hash: target.authorHash,
      salt: target.salt,
      source: target.source,
      person: by,
      note,
      rows: counts.rows,
      rescored_rows: counts.rescoredRows,
      alerts: counts.alerts,
      records: counts.records,
      letters: counts.letters,
      kept_records: counts.keptRecords,
    },
  ])
}
