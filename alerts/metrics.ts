/** What Prometheus sees of the alert engine. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface AlertMetrics {
  readonly closes: Counter
  readonly evaluation: Histogram
  readonly events: Counter<'state'>
  readonly sends: Counter<'channel' | 'status'>
  readonly lag: Gauge
  readonly active: Gauge
}

export function createAlertMetrics(registry: Registry): AlertMetrics {
  const registers = [registry]
  return {
    closes: new Counter({
      name: 'tickertone_alerts_buckets_closed_total',
      help: 'Buckets closed.',
      registers,
    }),
    evaluation: new Histogram({
      name: 'tickertone_alerts_evaluation_seconds',
      help: 'Time to fold one closed bucket.',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2],
      registers,
    }),
    events: new Counter({
      name: 'tickertone_alerts_events_total',
      help: 'Alert events by new state.',
      labelNames: ['state'],
      registers,
    }),
    sends: new Counter({
      name: 'tickertone_alerts_sends_total',
      help: 'Tries to send a notification.',
      labelNames: ['channel', 'status'],
      registers,
    }),
    lag: new Gauge({
      name: 'tickertone_alerts_open_rows',
      help: 'Rows read that no closed bucket holds yet.',
      registers,
    }),
    active: new Gauge({
      name: 'tickertone_alerts_active',
      help: '1 in the process that raises and sends alerts, 0 in one that stands by.',
      registers,
    }),
  }
}
