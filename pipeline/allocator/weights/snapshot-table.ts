/** Snapshots of the fold in the table `weight_snapshots`, by model set and the last offset that they include. */
import type { Clock } from '../../../infra/clock.ts'
import type { Store } from '../../../infra/store/store.ts'
import { toStoreTime } from '../../../infra/store/store-time.ts'

export interface SnapshotTable {
  /** Offsets of this model set's, the newest first. */
  offsets(): Promise<readonly number[]>
  /** Undefined when it has gone. */
  read(offset: number): Promise<string | undefined>
  /** How many there are of other model sets. */
  others(): Promise<number>
  /** Durable when it resolves. Of this model set only the two newest at or below it stay, and what stands above it. */
  write(offset: number, state: string): Promise<void>
}

const kept = 2
const ofModelSet = 'weight_snapshots WHERE model_set = {modelSet:String}'

export function createSnapshotTable(store: Store, clock: Clock, modelSet: string): SnapshotTable {
  const offsets = async (): Promise<readonly number[]> => {
    const rows = await store.query<{ offset: number }>(
      `SELECT DISTINCT offset FROM ${ofModelSet} ORDER BY offset DESC`,
      { modelSet },
    )
    return rows.map(({ offset }) => offset)
  }
  return {
    offsets,
    async read(offset) {
      const [row] = await store.query<{ state: string }>(
        `SELECT state FROM ${ofModelSet} AND offset = {offset:Int64} ORDER BY at DESC LIMIT 1`,
        { modelSet, offset },
      )
      return row?.state
    },
    async others() {
      const [row] = await store.query<{ snapshots: number }>(
        'SELECT count() AS snapshots FROM weight_snapshots WHERE model_set != {modelSet:String}',
        { modelSet },
      )
      return row?.snapshots ?? 0
    },
    async write(offset, state) {
      const at = toStoreTime(clock())
      await store.insert('weight_snapshots', [{ model_set: modelSet, offset, state, at }])
      const oldest = (await offsets()).filter((stored) => stored <= offset)[kept - 1]
      if (oldest === undefined) return
      await store.command(`DELETE FROM ${ofModelSet} AND offset < {oldest:Int64}`, {
        modelSet,
        oldest,
      })
    },
  }
}
