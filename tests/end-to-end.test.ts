/**
 * What `npm start` does, ten times faster: the bundled tweets through the whole path to the page of a real browser and to a mailbox. Speed,
 * buckets and grace are scaled together, so that every window holds what it holds at the normal speed.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { findChromium, launchChromium } from '../dashboards/chromium.fixture.ts'
import { deferred } from '../infra/log/log.fixture.ts'
import { startMonitor, stopMonitor } from './monitor-process.fixture.ts'

const tenTimesFaster = {
  DEMO_SPEED: '43200',
  ALERTS_BUCKET_MS: '1000',
  ALERTS_CLOSE_GRACE_MS: '500',
  PIPELINE_FLUSH_MS: '100',
}

const browser = findChromium(env)

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
  const dataDir = mkdtempSync(join(tmpdir(), 'tickertone-end-to-end-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const mailbox = await openMailbox()
  t.after(() => mailbox.close())
  const monitor = startMonitor(dataDir, ['--demo'], {
    ...tenTimesFaster,
    SMTP_URL: mailbox.url,
    SMTP_TO: 'desk@example.org',
  })
  t.after(() => monitor.child.kill('SIGKILL'))
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

  const answer = await fetch(`${url}/api/alerts`)
  const { alerts } = (await answer.json()) as {
    alerts: { id: string; instrumentName: string; texts: { text: string }[]; link: string }[]
  }
  assert.deepEqual(
    alerts.map(({ instrumentName }) => instrumentName),
    ['Meta Platforms'],
  )
  assert.ok(alerts[0]?.texts.some(({ text }) => /boycott|advertis/i.test(text)))
  assert.equal(alerts[0]?.link, `${url}/#/alerts/${alerts[0]?.id}`)
  assert.deepEqual(faults, [])
  assert.equal(await stopMonitor(monitor), 0, monitor.stderr())
})
