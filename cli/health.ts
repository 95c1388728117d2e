/** Whether the process can do its work: what /readyz answers. */
import type { Readiness } from '../dashboards/server.ts'
import { describeError } from '../infra/errors.ts'

export interface Health {
  /** Every part runs. */
  started(): void
  /** What keeps a part from its work now; undefined when it works again. */
  report(part: string, error: unknown): void
  /** What keeps parts from their work, asked with every readiness. */
  watch(failures: () => Readonly<Record<string, unknown>>): void
  /** What is out of order without keeping the process from its work: it is named, and the process ready all the same. */
  note(troubles: () => Readonly<Record<string, string>>): void
  readiness(): Readiness
}

export function createHealth(): Health {
  let allStarted = false
  const reported: Record<string, string> = {}
  const watched: (() => Readonly<Record<string, unknown>>)[] = []
  const noted: (() => Readonly<Record<string, string>>)[] = []

  function failures(): Record<string, string> {
    const found = watched.flatMap((ask) => Object.entries(ask()))
    return {
      ...reported,
      ...Object.fromEntries(found.map(([part, error]) => [part, describeError(error)])),
    }
  }

  return {
    started() {
      allStarted = true
    },
    report(part, error) {
      if (error === undefined) delete reported[part]
      else reported[part] = describeError(error)
    },
    watch(ask) {
      watched.push(ask)
    },
    note(ask) {
      noted.push(ask)
    },
    readiness() {
      const start = allStarted ? 'done' : 'under way'
      const failing = failures()
      return {
        ready: allStarted && Object.keys(failing).length === 0,
        checks: Object.assign({ start, ...failing }, ...noted.map((ask) => ask())),
      }
    },
  }
}
