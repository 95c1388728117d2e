import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { systemClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { createEmbeddedLog } from './embedded.ts'
import { logSuite } from './log.suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-log-'))
after(() => rmSync(folder, { recursive: true, force: true }))

logSuite({
  name: 'embedded',
  open: async () => createEmbeddedLog({ path: folder, clock: systemClock, logger: silentLogger }),
})
