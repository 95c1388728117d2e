/** Texts of alerts, forgotten in the real store. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import { createAlertReader } from './alert-reader.ts'
import { eraseAlertTexts } from './erase-texts.ts'
import { sampleEvent } from './event.fixture.ts'
import type { FoldSnapshot } from './fold.ts'
import { createJournal, type Journal } from './journal.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-erase-'))
const [sample] = sampleEvent().texts

describe('forgetting texts of alerts', () => {
  let store: Store
  let journal: Journal

  before(async () => {
    store = await openEmbeddedStore({ path: join(folder, 'store') })
    journal = createJournal(store, 'posts@0')
  })

  after(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const text = (postId: string, author: string) => {
    assert.ok(sample)
    return { ...sample, postId, author, text: `what ${postId} said` }
  }

  it('empties them in events, and leaves the others of the same alert', async () => {
    const texts = [text('gone', 'ada'), text('stays', 'bob')]
    const events = [
      sampleEvent({ texts }),
      sampleEvent({ id: 'event-2', at: '2026-03-01T00:02:00.000Z', texts }),
      sampleEvent({ id: 'event-3', at: '2026-03-01T00:03:00.000Z', texts: texts.slice(1) }),
    ]
    await journal.writeEvents(
      events,
      events.map((event) => ({ id: `n-${event.id}`, channel: 'mail', event })),
    )
    const forget = ({ id }: { readonly id: string }) => id === 'gone'
    assert.equal(await eraseAlertTexts(store, forget), 2)
    assert.equal(await eraseAlertTexts(store, forget), 0)
    const detail = await createAlertReader(store).find('alert-1')
    assert.deepEqual(
      detail?.events.map((event) =>
        event.texts.map((each) => `${each.author} ${each.text}`.trim()),
      ),
      [['', 'bob what stays said'], ['', 'bob what stays said'], ['bob what stays said']],
    )
    const rows = await store.query(
      "SELECT id FROM alert_events WHERE event LIKE '%what gone said%'",
    )
    assert.deepEqual(rows, [])
    const waiting = await journal.undelivered('mail')
    assert.equal(waiting.length, 3)
    assert.ok(waiting.every(({ event }) => !JSON.stringify(event).includes('what gone said')))
  })

  it('empties them in what the engine saved, and keeps how many authors there were', async () => {
    const bucket = {
      end: 10_000,
      posts: 2,
      negativePosts: 2,
      stories: 2,
      negativeStories: 2,
      volume: 1.5,
      voices: ['ada', 'bob'],
      texts: [
        { ...text('gone', 'ada'), story: 's1' },
        { ...text('stays', 'bob'), story: 's2' },
      ],
    }
    const state = {
      taught: [0],
      lastPosts: 0,
      since: 0,
      series: [['US:META', { buckets: [bucket] }]],
      stories: [],
    } as unknown as FoldSnapshot
    await journal.writeCheckpoint({ end: 20_000, cursor: { 0: 5 }, control: 3, state })
    const forget = ({ author }: { readonly author: string }) => author === 'ada'
    assert.equal(await eraseAlertTexts(store, forget), 1)
    assert.equal(await eraseAlertTexts(store, forget), 0)
    const { checkpoint } = await journal.recover()
    const [saved] = checkpoint?.state.series[0]?.[1].buckets ?? []
    assert.deepEqual([checkpoint?.end, checkpoint?.control], [20_000, 3])
    assert.deepEqual(saved?.voices, ['forgotten 0', 'bob'])
    assert.deepEqual(
      saved?.texts.map((each) => each.text),
      ['', 'what stays said'],
    )
    assert.ok(!JSON.stringify(checkpoint).includes('ada'))
  })
})
