import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import Fastify from 'fastify'
import { Registry } from 'prom-client'
import { SMTPServer } from 'smtp-server'
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import { type Log, topics } from '../infra/log/log.ts'
import { silentLogger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import type { AlertEvent } from './contract.ts'
import { appended, memoryLog, type RowSpec } from './engine.fixture.ts'
import { type Alerts, createAlerts, createPrintChannel, seedBaselines } from './main.ts'

const minute = 60_000
const start = Date.parse('2026-03-02T09:00:00Z')
/** The engine's clock: it decides how far idle partitions close. */
let now = start

/** One story every `everyMs`. */
const posts = (from: number, to: number, everyMs: number, negative: number): RowSpec[] =>
  Array.from({ length: (to - from) / everyMs }, (_, n) => {
    const at = from + n * everyMs
    return { at, negative, content_hash: `hash ${at}`, text: `text ${at}` }
  })

const history = posts(start - 30 * minute, start, 10_000, 0.2)
const quietThenStorm = [
  ...posts(start, start + 5 * minute, 10_000, 0.2),
  ...posts(start + 5 * minute, start + 6 * minute, 2_000, 0.9),
]
const quietAgain = posts(start + 6 * minute, start + 15 * minute, 10_000, 0.2)
const all = appended([...quietThenStorm, ...quietAgain], 2)

describe('the role alerts', () => {
  let folder: string
  let store: Store
  let log: Log
  let smtp: SMTPServer
  const mails: string[] = []
  const printed = new PassThrough({ encoding: 'utf8' })
  const rows = memoryLog(2)
  const running: Alerts[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tickertone-alerts-'))
    store = await openEmbeddedStore({ path: join(folder, 'store') })
    log = createEmbeddedLog({ path: join(folder, 'log'), clock: systemClock, logger: silentLogger })
    await log.ensureTopics([
      { name: topics.posts, partitions: 2 },
      { name: topics.control, partitions: 1 },
    ])
    smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, _session, done) => {
        text(stream).then((mail) => {
          mails.push(mail)
          done()
        }, done)
      },
    })
    smtp.listen(0, '127.0.0.1')
    await once(smtp.server, 'listening')
  })

  after(async () => {
    for (const alerts of running) await alerts.stop()
    await new Promise<void>((resolve) => smtp.close(resolve))
    await log.close()
    await store.close()
    await rm(folder, { recursive: true })
  })

  const newAlerts = (isActive = () => true): Alerts => {
    const { port } = smtp.server.address() as AddressInfo
    const env = { SMTP_URL: `smtp://127.0.0.1:${port}`, SMTP_TO: 'desk@example.org' }
    const alerts = createAlerts({
      store,
      tail: rows.tail,
      log,
      logTopic: 'posts@0',
      clock: () => now,
      logger: silentLogger,
      registry: new Registry(),
      config: loadConfig({ env }),
      instrumentName: () => 'Meta Platforms',
      channels: [createPrintChannel(printed)],
      publicUrl: () => 'http://127.0.0.1:8080',
      isActive,
    })
    running.push(alerts)
    return alerts
  }

  const nextLine = () => new Promise<string>((resolve) => printed.once('data', resolve))

  const persisted = async (state: AlertEvent['state']): Promise<AlertEvent> => {
    for (;;) {
      const [row] = await store.query<{ event: string }>(
        'SELECT event FROM alert_events FINAL WHERE state = {state:String} ORDER BY at LIMIT 1',
        { state },
      )
      if (row !== undefined) return JSON.parse(row.event)
    }
  }

  it('learns from history, fires, tells, and a process that stood by goes on', {
    timeout: 60_000,
  }, async () => {
    const past = appended(
      history.map((row) => ({ ...row, history: true, source: 'demo' })),
      2,
    )
    await store.insert(
      'analyses',
      past.map((row) => ({
        ...row,
        'experts.name': [],
        'experts.task': [],
        'experts.probabilities': [],
      })),
    )
    const first = newAlerts()
    first.start()
    let isSecondsTurn = false
    const second = newAlerts(() => isSecondsTurn)
    second.start()
    const offset = await seedBaselines({
      log,
      source: 'demo',
      from: start - 60 * minute,
      to: start,
    })
    await first.seeded(offset)

    const alertLine = nextLine()
    const stormEnd = start + 6 * minute
    now = stormEnd + 6_000
    const firstRows = all.filter((row) => Date.parse(`${row.appended_at}Z`) < stormEnd)
    rows.append(firstRows)
    const fired = await persisted('firing')
    assert.ok(fired.evidence.baselineWindows > 100)
    const line = await alertLine
    assert.match(line, /^Alert: negative volume on Meta Platforms is [\d.]+ times/)
    await first.stop()
    await first.stop()

    const resolvedLine = nextLine()
    rows.append(all.slice(firstRows.length))
    now = start + 20 * minute
    isSecondsTurn = true
    const resolved = await persisted('resolved')
    assert.equal(resolved.alertId, fired.alertId)
    await resolvedLine

    const app = Fastify()
    await app.register(second.plugin)
    const { alert, events } = (await app.inject(`/api/alerts/${fired.alertId}`)).json()
    assert.equal(alert.state, 'resolved')
    assert.deepEqual(alert.evidence, fired.evidence)
    assert.deepEqual(
      events.map((event: AlertEvent) => event.state),
      ['firing', 'recovering', 'resolved'],
    )
    await app.close()
    await second.stop()
    const subjects = mails.map((mail) => /^Subject: (Alert|Resolved)/m.exec(mail)?.[1])
    assert.deepEqual(subjects, ['Alert', 'Resolved'])
  })
})
