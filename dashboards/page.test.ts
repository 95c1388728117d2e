import assert from 'node:assert/strict'
import { env } from 'node:process'
import { after, afterEach, before, describe, it } from 'node:test'
import type { FastifyPluginAsync } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import type { AlertSummary } from '../alerts/contract.ts'
import { findChromium, launchChromium } from './chromium.fixture.ts'
import type { ReplayStatus } from './contract.ts'
import { createDashboards } from './main.ts'
import {
  type Monitor,
  openTestStore,
  startMonitor,
  type TestStore,
  testDeps,
} from './monitor.fixture.ts'
import { persistAlert, storePosts, type TestPost } from './rows.fixture.ts'

const { executable, skip } = findChromium(env)

const hostile =
  '<script>document.title = "taken"</script><img src=x onerror="document.title = \'taken\'"> \u202Egnp.exe \u0000 $AAPL'

describe('the page in Chromium', { skip }, () => {
  let opened: TestStore
  let monitor: Monitor
  let browser: Browser
  let page: Page
  let alerts: AlertSummary[] = []
  let faults: string[] = []
  const next = [0, 0]

  const alertRoutes: FastifyPluginAsync = async (server) => {
    server.get('/api/alerts', async () => ({ alerts }))
  }

  const store = (text: string, overrides: TestPost['overrides'] = {}, partition = 0) => {
    const offset = next[partition] ?? 0
    next[partition] = offset + 1
    const id = `${partition}-${offset}`
    return storePosts(opened.store, [
      { id, text, partition, offset, publishedAt: Date.now(), overrides },
    ])
  }

  const open = async (
    options: Parameters<Browser['newPage']>[0] = {},
    url = monitor.url,
  ): Promise<Page> => {
    page = await browser.newPage(options)
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) faults.push(message.text())
    })
    await page.goto(url)
    return page
  }

  const texts = (): Promise<string[]> => page.locator('#feed-list .text').allTextContents()

  before(async () => {
    opened = await openTestStore()
    const replayStatus = (): ReplayStatus => ({
      title: 'market tweets of 2020',
      state: 'playing',
      speed: 4_320,
      sourceTime: '2020-06-26T14:20:00.000Z',
      posts: 12,
      total: 4_273,
    })
    monitor = await startMonitor([
      createDashboards(testDeps(opened.store, { replayStatus })).plugin,
      alertRoutes,
    ])
    await store('an older post $AAPL')
    browser = await launchChromium(executable)
  })

  after(async () => {
    await browser?.close()
    await monitor.close()
    await opened.close()
  })

  afterEach(async () => {
    await page.close()
    assert.deepEqual(faults, [])
    faults = []
  })

  it('says what is missing while there is nothing to show', async () => {
    const long = Date.parse('2001-01-01T00:00:00Z')
    const deps = testDeps(opened.store, { logTopic: 'posts@9', clock: () => long })
    const empty = await startMonitor([createDashboards(deps).plugin, alertRoutes])
    await open({}, empty.url)
    await page.getByText('No posts yet.').waitFor()
    await page.getByText('No posts in this range. Choose').waitFor()
    await page.getByText('No alerts.').waitFor()
    await empty.close()
  })

  it('shows stored posts, then live ones, with probabilities and mentions', async () => {
    await store('first $AAPL', { negative: 0.7, neutral: 0.2, positive: 0.1, score: -0.6 })
    await open()
    const first = page.locator('.post').first()
    await first.getByText('first $AAPL').waitFor()
    const bar = first.getByRole('img')
    assert.equal(await bar.getAttribute('aria-label'), 'negative 70%, neutral 20%, positive 10%')
    assert.equal(await first.locator('.score').textContent(), '▼ −0.60')
    await store('second $MSFT', {}, 1)
    await page.getByText('second $MSFT').waitFor()
    assert.deepEqual((await texts()).slice(0, 2), ['second $MSFT', 'first $AAPL'])
  })

  it('shows a chart and opens an instrument by keyboard', async () => {
    await open()
    await page.locator('#chart canvas').waitFor()
    await page.locator('.post .ticker', { hasText: '$AAPL' }).first().focus()
    await page.keyboard.press('Enter')
    await page.locator('#chart-title', { hasText: '$AAPL Apple' }).waitFor()
    await page.locator('#chart').focus()
    await page.keyboard.press('ArrowLeft')
    await page.locator('#readout', { hasText: 'posts' }).waitFor()
    await page.getByRole('button', { name: 'Table' }).click()
    await page.locator('#chart-table td').first().waitFor()
    await page.getByRole('button', { name: 'Whole market' }).click()
    await page.locator('#chart-title', { hasText: 'Market mood' }).waitFor()
  })

  it('keeps hostile text inert', async () => {
    await store(hostile, { title: '<b>title</b>', url: 'javascript:document.title="taken"' })
    await open()
    await page.getByText('gnp.exe').waitFor()
    assert.ok((await texts()).includes(`<b>title</b>${hostile}`))
    assert.equal(await page.locator('#feed-list script, #feed-list img, #feed-list a').count(), 0)
    assert.equal(await page.title(), 'Tickertone')
  })

  it('says that a replay is one', async () => {
    await open()
    const banner = page.locator('#replay')
    await banner.waitFor()
    assert.match(
      (await banner.textContent()) ?? '',
      /Replay of market tweets of 2020 at 4,320×.*26 Jun 2020, 14:20 UTC.*12 of 4,273/s,
    )
  })

  it('shows an alert with its reason and texts as soon as it fires', async () => {
    await open()
    await page.getByText('No alerts.').waitFor()
    alerts = [alert()]
    await persistAlert(opened.store, { id: 'event-1' })
    const card = page.locator('#alert-alert-1')
    await card.waitFor()
    const words = (await card.textContent()) ?? ''
    assert.match(words, /Meta Platforms\s*negative spike.*firing/)
    assert.match(words, /Negative volume 41\.2, usual 0\.4 to 7\.2 \(p = 4·10⁻⁹/)
    assert.match(words, /<i>Unilever<\/i> halts ads/)
    assert.match((await page.locator('#announcer').textContent()) ?? '', /Meta Platforms/)
    alerts = []
  })

  it('goes on after the server was away, without a gap, a repeat or an empty page', async () => {
    await open()
    await page.locator('#live[data-state="live"]').waitFor()
    await page.locator('.post').first().waitFor()
    const before = await texts()
    const port = Number(new URL(monitor.url).port)
    await monitor.close()
    await page.locator('#lost').waitFor()
    assert.deepEqual(await texts(), before)
    await store('written meanwhile, one')
    await store('written meanwhile, two', {}, 1)
    monitor = await startMonitor(
      [createDashboards(testDeps(opened.store)).plugin, alertRoutes],
      port,
    )
    await page.locator('#live[data-state="live"]').waitFor()
    await page.getByText('written meanwhile, one').waitFor()
    await page.getByText('written meanwhile, two').waitFor()
    assert.deepEqual(
      (await texts()).toSorted(),
      [...before, 'written meanwhile, one', 'written meanwhile, two'].toSorted(),
    )
    assert.equal(await page.locator('#lost').isVisible(), false)
  })

  it('holds the feed while the reader pauses it', async () => {
    await open()
    await page.locator('.post').first().waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await store('while paused')
    const waiting = page.getByRole('button', { name: 'Show 1 new' })
    await waiting.waitFor()
    assert.equal(await page.getByText('while paused').count(), 0)
    await waiting.click()
    await page.getByText('while paused').waitFor()
  })

  it('takes theme and zone from the system, and keeps what the reader chooses', async () => {
    await open({ colorScheme: 'light', timezoneId: 'America/New_York' })
    const theme = () => page.evaluate<string>('document.documentElement.dataset.theme')
    assert.equal(await theme(), 'light')
    await page.getByRole('button', { name: 'Dark theme' }).click()
    await page.getByText('Local', { exact: true }).click()
    await page.locator('#clock', { hasText: 'New York' }).waitFor()
    await page.reload()
    await page.locator('#clock', { hasText: 'New York' }).waitFor()
    assert.equal(await theme(), 'dark')
  })

  it('keeps at most 200 posts and its frames through a burst', async () => {
    await open()
    await page.locator('#live[data-state="live"]').waitFor()
    const posts = Array.from({ length: 1_000 }, (_, index): TestPost => {
      const offset = (next[0] ?? 0) + index
      return {
        id: `burst-${offset}`,
        text: `burst ${index}`,
        partition: 0,
        offset,
        publishedAt: Date.now(),
      }
    })
    next[0] = (next[0] ?? 0) + posts.length
    await storePosts(opened.store, posts)
    await page.getByText('burst 999', { exact: true }).waitFor()
    assert.equal(await page.locator('.post').count(), 200)
  })

  for (const width of [390, 1280, 1920])
    it(`fits a window of ${width} pixels`, async () => {
      await open({ viewport: { width, height: 900 } })
      await page.locator('.post').first().waitFor()
      const overflow = await page.evaluate<number>(
        'document.documentElement.scrollWidth - innerWidth',
      )
      assert.ok(overflow <= 0, `${overflow} pixels too wide`)
    })
})

function alert(): AlertSummary {
  const at = new Date().toISOString()
  return {
    id: 'alert-1',
    rule: 'negative-volume',
    instrument: 'US:META',
    instrumentName: 'Meta Platforms',
    state: 'firing',
    startedAt: at,
    firedAt: at,
    updatedAt: at,
    resolvedAt: null,
    evidence: {
      windowStart: at,
      windowEnd: at,
      observed: 41.2,
      expected: 3.1,
      usualLow: 0.4,
      usualHigh: 7.2,
      pValue: 4e-9,
      threshold: 1e-6,
      baselineWindows: 210,
      posts: 71,
      negativePosts: 48,
      stories: 52,
      negativeStories: 38,
      authors: 52,
      shareFromPosts: 0.7,
      shareFromTone: 0.3,
    },
    texts: [
      {
        position: 'posts@0/0/1',
        postId: '1',
        source: 'tweets',
        author: '',
        text: '<i>Unilever</i> halts ads on Facebook',
        publishedAt: at,
        originalPublishedAt: '2020-06-26T16:00:00.000Z',
        negative: 0.93,
        posts: 5,
        experts: [{ name: 'linear', negative: 0.95 }],
      },
    ],
    link: '/#/alerts/alert-1',
  }
}
