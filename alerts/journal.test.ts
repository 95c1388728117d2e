import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import Fastify from 'fastify'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import { createAlertReader } from './alert-reader.ts'
import type { AlertState } from './contract.ts'
import { mention } from './engine.fixture.ts'
import { sampleEvent } from './event.fixture.ts'
import { historyOf } from './history.ts'
import { createJournal, type Journal } from './journal.ts'
import { notificationsOf } from './outbox.ts'
import { inForceOf } from './revised.ts'
import { alertRoutes } from './routes.ts'
import type { MentionRow } from './window.ts'

const channels = [{ name: 'print', send: async () => {}, close: async () => {} }]
const start = Date.parse('2026-03-02T09:00:00Z')

describe('the journal in the store', () => {
  let folder: string
  let store: Store
  let journal: Journal

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tickertone-journal-'))
    store = await openEmbeddedStore({ path: join(folder, 'store') })
    journal = createJournal(store, 'posts@0')
  })

  after(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })

  it('recovers the newest checkpoint and the closes behind it', async () => {
    assert.deepEqual(await journal.recover(), { checkpoint: undefined, closes: [] })
    const close = (n: number) => ({
      end: start + n * 10_000,
      cursor: { 0: n, 3: 2 ** 40 + n },
      control: n,
    })
    const state = { taught: [2, 2, 1], lastPosts: start, since: start, series: [], stories: [] }
    for (const n of [1, 2, 3, 4]) await journal.writeClose(close(n), 5)
    await journal.writeClose(close(4), 5)
    await journal.writeCheckpoint({ ...close(1), state })
    await journal.writeCheckpoint({ ...close(2), state })
    assert.deepEqual(await journal.recover(), {
      checkpoint: { ...close(2), state },
      closes: [close(3), close(4)],
    })
    const other = await createJournal(store, 'posts@1').recover()
    assert.equal(other.checkpoint, undefined)
  })

  it('takes each event and notification once, and gives up what is undelivered', async () => {
    const event = sampleEvent({ state: 'firing' })
    const notices = notificationsOf(event, channels)
    assert.deepEqual(await journal.writeEvents([event], notices), [event])
    assert.deepEqual(await journal.writeEvents([event], notices), [])
    assert.deepEqual(await journal.undelivered('print'), notices)
    const [notice] = notices
    assert.ok(notice)
    await journal.writeDelivery({ id: notice.id, status: 'sent', attempts: 1, error: '' }, start)
    assert.deepEqual(await journal.undelivered('print'), [])
  })

  it('serves alerts as their events leave them', async () => {
    const app = Fastify()
    await app.register(alertRoutes(createAlertReader(store)))
    const step = (alertId: string, state: AlertState, minute: number) =>
      sampleEvent({
        id: `${alertId}-${state}`,
        alertId,
        state,
        startedAt: new Date(start).toISOString(),
        at: new Date(start + minute * 60_000).toISOString(),
      })
    await journal.writeEvents(
      [step('one', 'firing', 0), step('one', 'recovering', 3), step('one', 'resolved', 5)],
      [],
    )
    await journal.writeEvents([step('two', 'firing', 0)], [])
    const get = async (url: string) => {
      const { statusCode, body } = await app.inject(url)
      return { statusCode, body: JSON.parse(body) }
    }
    const resolved = await get('/api/alerts?state=resolved')
    assert.deepEqual(
      resolved.body.alerts.map((alert: { id: string }) => alert.id),
      ['one'],
    )
    const one = await get('/api/alerts/one')
    assert.equal(one.body.alert.resolvedAt, new Date(start + 300_000).toISOString())
    assert.equal(one.body.events.length, 3)
    const firing = await get('/api/alerts?state=firing&limit=1')
    assert.equal(firing.body.alerts.length, 1)
    assert.equal((await get('/api/alerts/none')).statusCode, 404)
    assert.equal((await get("/api/alerts/'%20OR%201")).statusCode, 404)
    assert.equal((await get('/api/alerts?state=odd')).statusCode, 400)
    await app.close()
  })

  it('reads the history of one source in order of publication', async () => {
    const row = (offset: number, source: string, minute: number, history = true) => ({
      ...mention({ at: start, offset, source, history, signature: [1, 2 ** 32 - 1] }),
      'experts.name': [],
      'experts.task': [],
      'experts.probabilities': [],
      published_at: `2026-03-01 00:0${minute}:00.000`,
    })
    await store.insert('analyses', [
      row(0, 'demo', 5),
      row(1, 'demo', 1),
      row(2, 'other', 2),
      row(3, 'demo', 3, false),
      row(4, 'demo', 9),
      { ...row(5, 'demo', 4), post_id: 'earlier-run-5' },
    ])
    const read = historyOf(store, 'posts@0')
    const seed = {
      type: 'baseline.seed',
      source: 'demo',
      idPrefix: '0-',
      from: Date.parse('2026-03-01T00:00:00Z'),
      to: Date.parse('2026-03-01T00:09:00Z'),
    } as const
    const offsets: number[] = []
    for await (const { offset, signature } of read.imported(seed, [])) {
      offsets.push(Number(offset))
      assert.deepEqual(signature, [1, 2 ** 32 - 1])
    }
    assert.deepEqual(offsets, [1, 0])
  })

  it('reads what was live as a coverage shows it, whatever is in force', async () => {
    const row = (offset: number, negative: number, revision?: number) => ({
      log_topic: 'posts@1',
      partition: 0,
      offset,
      ordinal: 1,
      outcome: 'scored',
      version: 1,
      instrument: 'US:META',
      text: `text ${offset}`,
      negative,
      'experts.name': ['linear'],
      'experts.task': ['sentiment'],
      'experts.probabilities': [[negative, 0.1, 0.1]],
      published_at: `2026-03-01 00:0${offset}:00.000`,
      appended_at: `2026-03-01 00:0${offset}:00.000`,
      ...(revision === undefined ? {} : { revision }),
    })
    const first = [0, 1, 2, 3, 4].map((offset) => row(offset, 0.25))
    await store.insert('analyses', first)
    await store.insert('rescored', [
      ...[1, 2].map((offset) => row(offset, 0.5, 7)),
      row(2, 0.75, 8),
    ])
    const range = { logTopic: 'posts@1', partition: 0, from: 1, to: 3, revision: 7 }
    const coverage = [range, { ...range, logTopic: 'posts@0', from: 0, to: 9 }]
    const past = {
      from: Date.parse('2026-03-01T00:01:00Z'),
      below: { 0: 4 },
      textsFrom: Date.parse('2026-03-01T00:03:00Z'),
    }
    const seen: unknown[] = []
    for await (const { offset, negative, text, ...more } of historyOf(store, 'posts@1').live(
      past,
      coverage,
    ))
      seen.push([offset, negative, text, more['experts.name']])
    assert.deepEqual(seen, [
      [1, 0.5, '', []],
      [2, 0.5, '', []],
      [3, 0.25, 'text 3', ['linear']],
    ])
    const read = await inForceOf(store, 'posts@1')(first as unknown as MentionRow[], coverage)
    assert.deepEqual(
      read.map((each) => [
        each.offset,
        each.negative,
        each.text,
        each['experts.probabilities'][0]?.[0],
      ]),
      [0.25, 0.5, 0.5, 0.25, 0.25].map((negative, offset) => [
        offset,
        negative,
        `text ${offset}`,
        negative,
      ]),
    )
  })
})
