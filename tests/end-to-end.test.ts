/**
 * What `npm start` does, ten times faster: the bundled tweets through the whole path to the page of a real browser and to a mailbox. Speed,
 * buckets and grace are scaled together, so that every window holds what it holds at the normal speed. The first replay has every expert; at which speeds their
 * verdicts fire the same alert is asked in virtual time by alert-replay.test.ts.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { findChromium, launchChromium } from '../dashboards/chromium.fixture.ts'
import { deferred } from '../infra/log/log.fixture.ts'
import {
  caughtUp,
  type MonitorProcess,
  startMonitor,
  stopMonitor,
  withoutEncoder,
} from './monitor-process.fixture.ts'

const tenTimesFaster = {
  DEMO_SPEED: '43200',
  ALERTS_BUCKET_MS: '1000',
  ALERTS_CLOSE_GRACE_MS: '500',
  PIPELINE_FLUSH_MS: '100',
}

/** Asked without a pause, the monitor has less of a core for what is waited for. */
const betweenQuestionsMs = 50

const browser = findChromium(env)

/** A monitor that plays the demo in a folder of its own, killed at the end of the test if it still runs. */
function playDemo(t: TestContext, settings: Readonly<Record<string, string>> = {}): MonitorProcess {
  const dataDir = mkdtempSync(join(tmpdir(), 'tickertone-end-to-end-'))
  const monitor = startMonitor(dataDir, ['--demo'], { ...tenTimesFaster, ...settings })
  t.after(async () => {
    monitor.child.kill('SIGKILL')
    await monitor.exited
    rmSync(dataDir, { recursive: true, force: true })
  })
  return monitor
}

const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T

interface AlertAnswer {
  readonly alerts: readonly {
    readonly id: string
    readonly rule: string
    readonly instrumentName: string
    readonly texts: readonly { readonly text: string }[]
    readonly link: string
  }[]
}

/** A mail server that keeps the first mail. */
async function openMailbox(): Promise<{ url: string; mail: Promise<string>; close(): void }> {
  const mail = deferred<string>()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      void buffer(stream).then((bytes) => {
        mail.resolve(bytes.toString())
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as { port: number }
  return { url: `smtp://127.0.0.1:${port}`, mail: mail.promise, close: () => server.close() }
}

test('the replay fires one explained alert, on the page, on standard output and by mail', {
  skip: browser.skip,
  timeout: 120_000,
}, async (t) => {
  const mailbox = await openMailbox()
  t.after(() => mailbox.close())
  const monitor = playDemo(t, { SMTP_URL: mailbox.url, SMTP_TO: 'desk@example.org' })
  const url = await monitor.url

  const chromium = await launchChromium(browser.executable)
  t.after(() => chromium.close())
  const page = await chromium.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  await page.goto(url)
  await page.getByRole('feed').getByRole('article').first().waitFor()
  assert.match((await page.locator('#replay').textContent()) ?? '', /market tweets of 2020/)

  const alert = page.locator('#alerts-body').getByText('Meta Platforms').first()
  await alert.waitFor({ timeout: 60_000 })
  assert.match((await page.locator('#alerts-body').textContent()) ?? '', /usual/)
  assert.match(await mailbox.mail, /^Subject: .*Meta Platforms/m)
  assert.match(monitor.stdout(), /^Alert: negative volume on Meta Platforms/m)

  const { alerts } = await get<AlertAnswer>(`${url}/api/alerts`)
  assert.deepEqual(
    alerts.map(({ instrumentName }) => instrumentName),
    ['Meta Platforms'],
  )
  assert.ok(alerts[0]?.texts.some(({ text }) => /boycott|advertis/i.test(text)))
  assert.equal(alerts[0]?.link, `${url}/#/alerts/${alerts[0]?.id}`)
  assert.deepEqual(faults, [])
  assert.equal(await stopMonitor(monitor), 0, monitor.stderr())
})

test('the same alert fires at double speed', { timeout: 120_000 }, async (t) => {
  const monitor = playDemo(t, { ...withoutEncoder, DEMO_SPEED: '86400' })
  const url = await monitor.url
  let fired: AlertAnswer['alerts'] = []
  for (; fired.length === 0; await delay(betweenQuestionsMs))
    fired = (await get<AlertAnswer>(`${url}/api/alerts`)).alerts
  assert.deepEqual(
    fired.map(({ rule, instrumentName }) => `${rule}: ${instrumentName}`),
    ['negative-volume: Meta Platforms'],
  )
  assert.ok(fired[0]?.texts.some(({ text }) => /boycott|advertis/i.test(text)))
})

test('an ordinary day fires no alert', { timeout: 120_000 }, async (t) => {
  const monitor = playDemo(t, {
    ...withoutEncoder,
    DEMO_FROM: '2020-06-18',
    DEMO_TO: '2020-06-18',
  })
  const url = await monitor.url
  const closes = async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    return Number(/^tickertone_alerts_buckets_closed_total (\d+)/m.exec(metrics)?.[1])
  }
  for (let state = ''; state !== 'finished'; await delay(betweenQuestionsMs)) {
    const { replay } = await get<{ replay: { state: string; posts: number } }>(`${url}/api/status`)
    state = replay.state
    if (state === 'finished') assert.equal(replay.posts, 63)
  }
  await caughtUp(url)
  const atEnd = await closes()
  for (; (await closes()) < atEnd + 3; await delay(betweenQuestionsMs))
    assert.equal(monitor.child.exitCode, null)
  assert.deepEqual((await get<AlertAnswer>(`${url}/api/alerts`)).alerts, [])
})
