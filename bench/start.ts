/**
 * What a new user waits for: from the start of the built monitor with the demo, in an empty data folder, to the first analysed post and to
 * the first alert on the page of a real browser.
 *
 *   node dist/bench/start.js
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { findChromium, launchChromium } from '../dashboards/chromium.fixture.ts'
import { startMonitor, stopMonitor } from '../tests/monitor-process.fixture.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'tickertone-bench-'))
const browser = await launchChromium(findChromium(env).executable)
const page = await browser.newPage()

const startedAt = performance.now()
const say = (what: string) =>
  process.stdout.write(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`)

const monitor = startMonitor(dataDir, ['--demo'])
await page.goto(await monitor.url)
say('page open')
await page.getByRole('feed').getByRole('article').first().waitFor({ timeout: 120_000 })
say('first analysed post on the page')
await page.locator('#alerts-body').getByText('Meta Platforms').first().waitFor({ timeout: 240_000 })
say('alert on the page')

await browser.close()
await stopMonitor(monitor)
rmSync(dataDir, { recursive: true, force: true })
