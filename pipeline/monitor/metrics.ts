/** What Prometheus sees of the label-free monitor. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { ContextStatus } from './context.ts'
import type { StreamMonitor } from './monitor.ts'

type SignalState = ContextStatus['signals'][number]

interface Figure {
  readonly name: string
  readonly help: string
  of(state: SignalState): number
}

const gauges: readonly Figure[] = [
  {
    name: 'reference',
    help: 'Mean of a signal of the stream over the posts that it is compared with.',
    of: ({ reference }) => reference,
  },
  {
    name: 'window',
    help: 'Mean of a signal of the stream over the last posts.',
    of: ({ window }) => window,
  },
  {
    name: 'strain',
    help: 'How far window and reference are apart: 1 is a shift.',
    of: ({ strain }) => strain,
  },
]

/** Read when Prometheus asks. One monitor a registry. */
export function reportMonitor(registry: Registry, monitor: Pick<StreamMonitor, 'status'>): void {
  const shared = {
    labelNames: ['kind', 'language', 'signal'] as const,
    registers: [registry],
  }
  const states = () =>
    monitor.status().flatMap(({ kind, language, signals }) =>
      signals.map((state) => ({
        labels: { kind, language, signal: state.signal },
        state,
      })),
    )
  for (const { name, help, of } of gauges)
    new Gauge({
      ...shared,
      name: `tickertone_stream_${name}`,
      help,
      collect() {
        for (const { labels, state } of states()) {
          const value = of(state)
          if (Number.isFinite(value)) this.set(labels, value)
        }
      },
    })
  new Counter({
    ...shared,
    name: 'tickertone_stream_shifts_total',
    help: 'Shifts found in a signal of the stream.',
    collect() {
      this.reset()
      for (const { labels, state } of states()) this.inc(labels, state.shifts)
    },
  })
}
