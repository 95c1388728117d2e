/**
 * What the alert engine persists, and in which order: a close (which rows a bucket took), then its events, then their
 * notifications, and only then is anything sent. Events derive from closes and notifications from events, so after a crash
 * between two steps a restart replays the closes and writes what is missing, under the same ids.
 */

import type { Store } from '../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../infra/store/store-time.ts'
import type { Cursor } from '../infra/store/tail.ts'
import type { PastClose } from './buckets.ts'
import type { AlertEvent } from './contract.ts'
import type { FoldSnapshot } from './fold.ts'

/** A close with the offset of `control` that it used: records below it were folded before. */
export interface JournaledClose extends PastClose {
  readonly control: number
}

export interface Checkpoint extends JournaledClose {
  readonly state: FoldSnapshot
}

export interface Notification {
  readonly id: string
  readonly channel: string
  readonly event: AlertEvent
}

export interface Delivery {
  readonly id: string
  readonly status: 'sent' | 'failed'
  readonly attempts: number
  readonly error: string
}

export interface Journal {
  /** The newest checkpoint, and the closes behind it in order. */
  recover(): Promise<{
    readonly checkpoint: Checkpoint | undefined
    readonly closes: readonly JournaledClose[]
  }>
  writeClose(close: JournaledClose, rows: number): Promise<void>
  writeCheckpoint(checkpoint: Checkpoint): Promise<void>
  /** Writes events and notifications that are not there yet; resolves with the events that were new. */
  writeEvents(
    events: readonly AlertEvent[],
    notifications: readonly Notification[],
  ): Promise<readonly AlertEvent[]>
  writeDelivery(delivery: Delivery, at: number): Promise<void>
  /** A channel's notifications without a final delivery, oldest first. */
  undelivered(channel: string): Promise<readonly Notification[]>
}

type Row = Readonly<Record<string, unknown>>

interface CloseRow {
  readonly bucket_end: string
  readonly cursor: string
  readonly control: string | number
}

export function createJournal(store: Store, logTopic: string): Journal {
  const idsIn = async (table: string, ids: readonly string[]): Promise<Set<string>> => {
    const rows = await store.query<{ id: string }>(
      `SELECT DISTINCT id FROM ${table} WHERE id IN {ids:Array(String)}`,
      { ids },
      { lane: 'tail' },
    )
    return new Set(rows.map((row) => row.id))
  }

  return {
    async recover() {
      const [saved] = await store.query<CloseRow & { state: string }>(
        `SELECT bucket_end, cursor, control, state FROM alert_snapshots WHERE log_topic = {logTopic:String}
         ORDER BY bucket_end DESC LIMIT 1`,
        { logTopic },
        { lane: 'tail' },
      )
      const closes = await store.query<CloseRow>(
        `SELECT bucket_end, cursor, control FROM bucket_closes FINAL
         WHERE log_topic = {logTopic:String} AND bucket_end > {after:DateTime64(3, 'UTC')} ORDER BY bucket_end`,
        { logTopic, after: saved?.bucket_end ?? toStoreTime(0) },
        { lane: 'tail' },
      )
      return {
        checkpoint:
          saved === undefined
            ? undefined
            : { ...closeFrom(saved), state: JSON.parse(saved.state) as FoldSnapshot },
        closes: closes.map(closeFrom),
      }
    },

    async writeClose(close, rows) {
      await store.insert('bucket_closes', [{ ...closeRow(logTopic, close), rows }])
    },

    async writeCheckpoint(checkpoint) {
      const state = JSON.stringify(checkpoint.state)
      await store.insert('alert_snapshots', [{ ...closeRow(logTopic, checkpoint), state }])
    },

    async writeEvents(events, notifications) {
      const knownEvents = await idsIn(
        'alert_events',
        events.map((event) => event.id),
      )
      const newEvents = events.filter((event) => !knownEvents.has(event.id))
      if (newEvents.length > 0) await store.insert('alert_events', newEvents.map(eventRow))
      const knownNotices = await idsIn(
        'notifications',
        notifications.map((notice) => notice.id),
      )
      const newNotices = notifications.filter((notice) => !knownNotices.has(notice.id))
      if (newNotices.length > 0) await store.insert('notifications', newNotices.map(noticeRow))
      return newEvents
    },

    async writeDelivery(delivery, at) {
      await store.insert('notification_log', [{ ...delivery, at: toStoreTime(at) }])
    },

    async undelivered(channel) {
      const rows = await store.query<{ id: string; event: string }>(
        `SELECT n.id AS id, e.event AS event
         FROM (SELECT id, any(event_id) AS event_id, min(at) AS at FROM notifications
               WHERE channel = {channel:String} AND id NOT IN (SELECT id FROM notification_log) GROUP BY id) AS n
         INNER JOIN (SELECT id, any(event) AS event FROM alert_events GROUP BY id) AS e ON e.id = n.event_id
         ORDER BY n.at, n.id`,
        { channel },
        { lane: 'tail' },
      )
      return rows.map(({ id, event }) => ({ id, channel, event: JSON.parse(event) }))
    },
  }
}

function closeFrom(row: CloseRow): JournaledClose {
  return {
    end: fromStoreTime(row.bucket_end),
    cursor: JSON.parse(row.cursor) as Cursor,
    control: Number(row.control),
  }
}

const closeRow = (logTopic: string, { end, cursor, control }: JournaledClose): Row => ({
  log_topic: logTopic,
  bucket_end: toStoreTime(end),
  cursor: JSON.stringify(cursor),
  control,
})

const eventRow = (event: AlertEvent): Row => ({
  id: event.id,
  alert_id: event.alertId,
  rule: event.rule,
  instrument: event.instrument,
  state: event.state,
  at: toStoreTime(Date.parse(event.at)),
  started_at: toStoreTime(Date.parse(event.startedAt)),
  event: JSON.stringify(event),
})

const noticeRow = ({ id, channel, event }: Notification): Row => ({
  id,
  event_id: event.id,
  channel,
  at: toStoreTime(Date.parse(event.at)),
})
