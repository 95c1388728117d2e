/**
 * Forgetting texts that alerts show: events and the snapshot are written again without them, under the same keys, and merged with what they replace.
 * Read by position of the texts they hold, whoever wrote them.
 */
import type { Store } from '../infra/store/store.ts'
import type { AlertEvent, AlertText } from './contract.ts'
import type { FoldSnapshot } from './fold.ts'

/** What is told of a text to find out whether it is to be forgotten. */
export type IsForgotten = (text: {
  readonly id: string
  readonly author: string
  readonly source: string
}) => boolean

type Table = 'alert_events' | 'alert_snapshots'
type Row = Readonly<Record<string, unknown>>

const eventsAtOnce = 500

/** Answers how many events and snapshots held such texts. */
export async function eraseAlertTexts(
  store: Pick<Store, 'query' | 'insert' | 'command'>,
  isForgotten: IsForgotten,
): Promise<number> {
  const events = await eraseEvents(store, isForgotten)
  const snapshots = await eraseSnapshots(store, isForgotten)
  return events + snapshots
}

async function eraseEvents(
  store: Pick<Store, 'query' | 'insert' | 'command'>,
  isForgotten: IsForgotten,
): Promise<number> {
  let found = 0
  for (let after = { at: '1970-01-01 00:00:00.000', id: '' }; ; ) {
    const rows = await store.query<Row & { id: string; at: string; event: string }>(
      `SELECT * FROM alert_events
       WHERE (at, id) > (toDateTime64({at:String}, 3, 'UTC'), {id:String}) ORDER BY at, id LIMIT {limit:UInt32}`,
      { ...after, limit: eventsAtOnce },
    )
    const changed = rows.flatMap((row) => {
      const event = JSON.parse(row.event) as AlertEvent
      const texts = blank(event.texts, isForgotten)
      return texts === undefined ? [] : [{ ...row, event: JSON.stringify({ ...event, texts }) }]
    })
    found += changed.length
    await replace(store, 'alert_events', changed)
    const last = rows.at(-1)
    if (last === undefined || rows.length < eventsAtOnce) return found
    after = { at: last.at, id: last.id }
  }
}

async function eraseSnapshots(
  store: Pick<Store, 'query' | 'insert' | 'command'>,
  isForgotten: IsForgotten,
): Promise<number> {
  const rows = await store.query<Row & { state: string }>('SELECT * FROM alert_snapshots')
  const changed = rows.flatMap((row) => {
    const state = JSON.parse(row.state) as FoldSnapshot
    return blankSnapshot(state, isForgotten) ? [{ ...row, state: JSON.stringify(state) }] : []
  })
  await replace(store, 'alert_snapshots', changed)
  return changed.length
}

/** In place. Authors are counted by their names: a forgotten one gets a name that tells nothing. */
function blankSnapshot(state: FoldSnapshot, isForgotten: IsForgotten): boolean {
  let isChanged = false
  for (const [, { buckets }] of state.series)
    for (const bucket of buckets) {
      for (const [i, text] of bucket.texts.entries()) {
        if (!isShown(text, isForgotten)) continue
        bucket.texts[i] = { ...text, text: '', author: '' }
        isChanged = true
      }
      for (const [i, author] of bucket.voices.entries()) {
        if (!isForgotten({ id: '', author, source: '' })) continue
        bucket.voices[i] = `forgotten ${i}`
        isChanged = true
      }
    }
  return isChanged
}

/** Undefined where none is to be forgotten. */
function blank(
  texts: readonly AlertText[],
  isForgotten: IsForgotten,
): readonly AlertText[] | undefined {
  if (!texts.some((text) => isShown(text, isForgotten))) return undefined
  return texts.map((text) =>
    isShown(text, isForgotten) ? { ...text, text: '', author: '' } : text,
  )
}

function isShown(text: AlertText, isForgotten: IsForgotten): boolean {
  const { postId: id, author, source } = text
  return (text.text !== '' || author !== '') && isForgotten({ id, author, source })
}

/** Rows of the same keys take the place of the former ones when they are merged, which is done at once. */
async function replace(
  store: Pick<Store, 'insert' | 'command'>,
  table: Table,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return
  await store.insert(table, rows)
  await store.command(`OPTIMIZE TABLE ${table} FINAL`)
}
