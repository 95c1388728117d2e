/**
 * The guarantees of the log port as tests, for every adapter. They wait for conditions, never for a time, and take fresh names for
 * topics and groups, so that they run against one long-lived broker.
 */
import { afterEach, beforeEach, describe } from 'node:test'
import { LogFixture } from './log.fixture.ts'
import type { Log } from './log.ts'
import { deliverySuite } from './log-delivery.suite.ts'
import { keepingSuite } from './log-keeping.suite.ts'

export interface LogSuiteOptions {
  readonly name: string
  /** Connects to the same log each time; a test holds one connection at a time. */
  open(): Promise<Log>
}

export function logSuite({ name, open }: LogSuiteOptions): void {
  describe(`the log port: ${name}`, { timeout: 120_000 }, () => {
    const fixture = new LogFixture(open)
    beforeEach(() => fixture.start())
    afterEach(() => fixture.log.close())
    keepingSuite(fixture)
    deliverySuite(fixture)
  })
}
