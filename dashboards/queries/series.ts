/** Sentiment and volume by time: of the whole market, or of one instrument. */
import type { Store } from '../../infra/store/store.ts'
import type { SeriesPoint, WindowInfo } from '../contract.ts'
import { bucketCount, fillSlots } from '../window.ts'

/** `slot` counts buckets from the window's start. */
interface Row {
  readonly slot: number
  readonly posts: number
  readonly score: number
  readonly negative: number
}

const aggregate = `
  toInt32(intDiv(toUnixTimestamp64Milli(published_at) - {from:Int64}, {bucketMs:Int64})) AS slot,
  toUInt32(count()) AS posts,
  avg(score) AS score,
  sum(negative) AS negative
FROM served_v
WHERE outcome = 'scored'
  AND published_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND published_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`

/** Posts have no instrument: saying so lets the projection by_instrument find the window. */
const marketSql = `SELECT ${aggregate} AND ordinal = 0 AND instrument = '' GROUP BY slot`
const instrumentSql = `SELECT ${aggregate} AND ordinal > 0 AND instrument = {instrument:String} GROUP BY slot`

export async function readMarketSeries(store: Store, window: WindowInfo): Promise<SeriesPoint[]> {
  return toPoints(await store.query<Row>(marketSql, { ...window }), window)
}

export async function readInstrumentSeries(
  store: Store,
  instrument: string,
  window: WindowInfo,
): Promise<SeriesPoint[]> {
  return toPoints(await store.query<Row>(instrumentSql, { ...window, instrument }), window)
}

function toPoints(rows: readonly Row[], window: WindowInfo): SeriesPoint[] {
  return fillSlots(rows, bucketCount(window), (row, slot) => ({
    at: window.from + slot * window.bucketMs,
    posts: row?.posts ?? 0,
    score: row?.score ?? null,
    negative: row?.negative ?? 0,
  }))
}
