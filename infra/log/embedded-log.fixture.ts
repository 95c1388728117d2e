/** An embedded log for tests of what only the embedded one owes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { silentLogger } from '../logger.ts'
import { createEmbeddedLog } from './embedded.ts'
import type { EmbeddedLog } from './embedded-log.ts'

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickertone-log-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface TestClock {
  now: number
}

export function openTestLog(path: string, clock: TestClock = { now: Date.now() }): EmbeddedLog {
  const backoff = { firstMs: 5, maxMs: 20 }
  return createEmbeddedLog({ path, clock: () => clock.now, logger: silentLogger, backoff })
}
