/** Test material: mention rows, a tail over arrays, and a journal in memory that can fail at any write. */

import { toStoreTime } from '../infra/store/store-time.ts'
import type { Cursor, Tail } from '../infra/store/tail.ts'
import type { AlertEvent } from './contract.ts'
import type { Checkpoint, Delivery, Journal, JournaledClose, Notification } from './journal.ts'
import type { MentionRow } from './window.ts'

export interface RowSpec extends Partial<MentionRow> {
  /** appended_at and, unless given, published_at in milliseconds. */
  readonly at: number
}

export function mention({ at, ...row }: RowSpec): MentionRow {
  const partition = row.partition ?? 0
  const offset = row.offset ?? 0
  return {
    log_topic: 'posts@0',
    partition,
    offset,
    ordinal: 1,
    outcome: 'scored',
    post_id: `${partition}-${offset}`,
    version: 1,
    source: 'test',
    status: 'original',
    text: `text ${partition}/${offset}`,
    content_hash: `${partition}/${offset}`,
    author: '',
    history: false,
    signature: [],
    instrument: 'US:META',
    negative: 0.2,
    'experts.name': ['linear', 'linear'],
    'experts.task': ['sentiment', 'topic'],
    'experts.probabilities': [[row.negative ?? 0.2, 0.5, 0.3], []],
    published_at: toStoreTime(at),
    original_published_at: toStoreTime(at),
    appended_at: toStoreTime(at),
    ...row,
  }
}

/** Gives rows their offsets, in order of `at`, spread over partitions. */
export function appended(specs: readonly RowSpec[], partitions: number): MentionRow[] {
  const next = Array.from({ length: partitions }, () => 0)
  return [...specs]
    .sort((a, b) => a.at - b.at)
    .map((spec, index) => {
      const partition = (index * 7) % partitions
      const offset = next[partition] ?? 0
      next[partition] = offset + 1
      return mention({ ...spec, partition, offset })
    })
}

export interface MemoryLog {
  readonly tail: Tail
  readonly log: { endOffsets(): Promise<readonly number[]> }
  append(rows: readonly MentionRow[]): void
  /** By partition. */
  rows(): readonly MentionRow[]
}

/** What is appended is stored at once: the tail reads at most `limit` rows of each partition. */
export function memoryLog(partitions: number): MemoryLog {
  const stored: MentionRow[][] = Array.from({ length: partitions }, () => [])
  return {
    rows: () => stored.flat(),
    append(rows) {
      for (const row of rows) stored[row.partition]?.push(row)
    },
    log: { endOffsets: async () => stored.map((rows) => (rows.at(-1)?.offset ?? -1) + 1) },
    tail: {
      async read<Row>(cursor: Cursor, limit: number) {
        const rows = stored.flatMap((own, partition) =>
          own.filter((row) => row.offset >= (cursor[partition] ?? 0)).slice(0, limit),
        )
        const next: Record<number, number> = { ...cursor }
        for (const { partition, offset } of rows)
          next[partition] = Math.max(next[partition] ?? 0, offset + 1)
        return { rows: rows as Row[], cursor: next }
      },
      async end() {
        return Object.fromEntries(stored.map((rows, partition) => [partition, rows.length]))
      },
    },
  }
}

export interface MemoryJournal extends Journal {
  readonly closes: JournaledClose[]
  readonly checkpoints: Checkpoint[]
  readonly events: AlertEvent[]
  readonly notifications: Notification[]
  readonly deliveries: Delivery[]
  /** Writes so far; `failAt` makes the write of that number reject, after or before it took effect. */
  writes: number
  failAt: { readonly write: number; readonly takesEffect: boolean } | undefined
}

export function memoryJournal(): MemoryJournal {
  const write = async (effect: () => void): Promise<void> => {
    journal.writes += 1
    const fails = journal.failAt?.write === journal.writes
    if (!fails || journal.failAt?.takesEffect) effect()
    if (fails) throw new Error(`write ${journal.writes} failed`)
  }
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
  const addNew = <T extends { readonly id: string }>(list: T[], items: readonly T[]): T[] => {
    const known = new Set(list.map(({ id }) => id))
    const added = items.filter(({ id }) => !known.has(id))
    list.push(...copy(added))
    return added
  }
  const journal: MemoryJournal = {
    closes: [],
    checkpoints: [],
    events: [],
    notifications: [],
    deliveries: [],
    writes: 0,
    failAt: undefined,
    async recover() {
      const checkpoint = journal.checkpoints.at(-1)
      const after = checkpoint?.end ?? 0
      return { checkpoint, closes: journal.closes.filter(({ end }) => end > after) }
    },
    writeClose: (close) => write(() => journal.closes.push(copy(close))),
    writeCheckpoint: (checkpoint) => write(() => journal.checkpoints.push(copy(checkpoint))),
    async writeEvents(events, notifications) {
      const added: AlertEvent[] = []
      await write(() => added.push(...addNew(journal.events, events)))
      await write(() => addNew(journal.notifications, notifications))
      return added
    },
    writeDelivery: (delivery) => write(() => journal.deliveries.push(copy(delivery))),
    async undelivered(channel) {
      const done = new Set(journal.deliveries.map(({ id }) => id))
      return journal.notifications.filter(
        (notice) => notice.channel === channel && !done.has(notice.id),
      )
    },
  }
  return journal
}
