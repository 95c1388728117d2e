/** Whether the process can do its work: what /readyz answers. */
import type { Readiness } from '../dashboards/server.ts'
import { describeError } from '../infra/errors.ts'

export interface Health {
  /** Every part runs. */
  started(): void
  /** What keeps a part from its work now; undefined when it works again. */
  report(part: string, error: unknown): void
  readiness(): Readiness
}

export function createHealth(): Health {
  let allStarted = false
  const failures: Record<string, string> = {}
  return {
    started() {
      allStarted = true
    },
    report(part, error) {
      if (error === undefined) delete failures[part]
      else failures[part] = describeError(error)
    },
    readiness() {
      const start = allStarted ? 'done' : 'under way'
      return {
        ready: allStarted && Object.keys(failures).length === 0,
        checks: { start, ...failures },
      }
    },
  }
}
