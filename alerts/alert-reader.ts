/** Alerts as their persisted events leave them. */
import type { Store } from '../infra/store/store.ts'
import type { AlertDetail, AlertEvent, AlertState, AlertSummary } from './contract.ts'

export interface AlertReader {
  /** Newest first by start. */
  list(limit: number, state?: AlertState): Promise<readonly AlertSummary[]>
  find(id: string): Promise<AlertDetail | undefined>
}

export function createAlertReader(store: Store): AlertReader {
  return {
    async list(limit, state) {
      const rows = await store.query<{ fired: string; newest: string }>(
        `SELECT argMin(event, at) AS fired, argMax(event, at) AS newest FROM alert_events GROUP BY alert_id
         HAVING {state:String} = '' OR argMax(state, at) = {state:String}
         ORDER BY min(started_at) DESC, alert_id LIMIT {limit:UInt32}`,
        { state: state ?? '', limit },
      )
      return rows.map(({ fired, newest }) => summaryOf(JSON.parse(fired), JSON.parse(newest)))
    },
    async find(id) {
      const rows = await store.query<{ event: string }>(
        'SELECT event FROM alert_events FINAL WHERE alert_id = {id:String} ORDER BY at',
        { id },
      )
      const events = rows.map((row) => JSON.parse(row.event) as AlertEvent)
      const [fired, newest] = [events[0], events.at(-1)]
      if (fired === undefined || newest === undefined) return undefined
      return { alert: summaryOf(fired, newest), events }
    },
  }
}

/** The alert at its newest event; evidence and texts are those of its first. */
export function summaryOf(fired: AlertEvent, newest: AlertEvent): AlertSummary {
  return {
    id: fired.alertId,
    rule: fired.rule,
    instrument: fired.instrument,
    instrumentName: fired.instrumentName,
    state: newest.state,
    startedAt: fired.startedAt,
    firedAt: fired.at,
    updatedAt: newest.at,
    resolvedAt: newest.state === 'resolved' ? newest.at : null,
    evidence: fired.evidence,
    texts: fired.texts,
    link: fired.link,
  }
}
