import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Post } from './contract.ts'
import { type DemoOptions, demoDays, playDemo } from './demo.ts'
import { ScriptedLog } from './scripted-log.fixture.ts'
import { VirtualTime } from './virtual-time.fixture.ts'

const startMs = Date.parse('2026-11-24T12:00:00Z')
const storingMs = 1_500
const boycott = demoDays('2020-06-26', '2020-07-02')

async function play(options: Partial<DemoOptions> = {}) {
  const time = new VirtualTime(startMs)
  const log = new ScriptedLog()
  let historyPosts = 0
  const demo = playDemo({
    log,
    clock: time.clock,
    sleep: time.sleep,
    speed: 4_320,
    days: boycott,
    runId: 'run',
    awaitStored: async () => {
      historyPosts = log.records.length
      time.now += storingMs
    },
    ...options,
  })
  const result = await demo.done
  const posts = log.records.map(({ value }) => JSON.parse(value.toString()) as Post)
  return {
    demo,
    result,
    time,
    history: posts.slice(0, historyPosts),
    live: posts.slice(historyPosts),
  }
}

const published = (post: Post) => Date.parse(post.publishedAt)
const original = (post: Post) => Date.parse(post.originalPublishedAt ?? '')

describe('playDemo', () => {
  it('lays history before the start and plays the live days after it, at one speed', async () => {
    for (const speed of [2_160, 4_320, 8_640]) {
      const { history, live, result } = await play({ speed })
      assert.equal(history.length, 3_031)
      assert.equal(live.length, 424)
      assert.deepEqual([result.history.accepted, result.live?.accepted], [3_031, 424])
      for (const post of history) {
        const expected = startMs - (boycott.liveFromMs - original(post)) / speed
        assert.equal(published(post), Math.floor(expected))
        assert.equal(post.history, true)
      }
      for (const post of live) {
        const expected = startMs + storingMs + (original(post) - boycott.liveFromMs) / speed
        assert.equal(published(post), Math.floor(expected))
        assert.equal(post.history, undefined)
      }
    }
  })

  it('sends no live post before its time', async () => {
    const { time, live } = await play()
    assert.ok(live.every((post) => published(post) <= time.now))
    assert.ok(time.now - startMs >= (6.9 * 86_400_000) / 4_320)
  })

  it('gives every run its own ids, and names the source', async () => {
    const { history, live } = await play({ runId: 'other' })
    const ids = [...history, ...live].map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    assert.ok(ids.every((id) => id.startsWith('other-')))
    assert.ok([...history, ...live].every(({ source }) => source === 'market-tweets-2020'))
  })

  it('plays other days when told', async () => {
    const { live, demo } = await play({ days: demoDays('2020-06-15', '2020-06-15') })
    assert.equal(live.length, 61)
    assert.deepEqual([demo.status().state, demo.status().posts], ['finished', 61])
  })

  it('says what it plays and where it stands', async () => {
    const time = new VirtualTime(startMs)
    const demo = playDemo({
      log: new ScriptedLog(),
      clock: time.clock,
      sleep: time.sleep,
      speed: 4_320,
      days: boycott,
      runId: 'run',
      awaitStored: async () => {
        assert.deepEqual(demo.status(), {
          title: 'market tweets of 2020',
          state: 'seeding',
          sourceTime: null,
          speed: 4_320,
          posts: 0,
          total: 424,
        })
      },
    })
    await demo.done
    const { state, posts, sourceTime } = demo.status()
    assert.deepEqual([state, posts], ['finished', 424])
    assert.match(sourceTime ?? '', /^2020-07-02T23:/)
    time.now += 60_000
    assert.equal(demo.status().sourceTime, '2020-07-03T00:00:00.000Z')
  })

  it('ends without live play when the signal comes before it', async () => {
    const { result, live } = await play({ signal: AbortSignal.abort() })
    assert.equal(result.live, undefined)
    assert.deepEqual(live, [])
  })

  it('fails when the log fails', async () => {
    const log = new ScriptedLog()
    log.before = () => {
      throw new Error('disk gone')
    }
    await assert.rejects(play({ log }), /disk gone/)
  })
})
