import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { packageRoot } from '../infra/package-root.ts'
import { playAlerts, type ReplayPost, readStream, replayPosts } from './alert-replay.fixture.ts'

const meta = 'cik:1326801'
const day = 86_400_000
const boycott = { liveFrom: Date.parse('2020-06-26'), liveTo: Date.parse('2020-07-03') }

describe('alerts on the bundled replay', () => {
  let posts: ReplayPost[]

  before(async () => {
    const stream = readStream(join(packageRoot, 'data', 'market-tweets-2020.ndjson'))
    // No replay below plays on: judging the rest would be for nothing.
    posts = await replayPosts(
      stream.filter(({ publishedAt }) => Date.parse(publishedAt) < boycott.liveTo),
    )
  })

  const speeds = [
    { name: 'half', speed: 2_160 },
    { name: 'the normal', speed: 4_320 },
    { name: 'double', speed: 8_640 },
  ]
  for (const { name, speed } of speeds)
    for (const phaseMs of [0, 5_000])
      it(`at ${name} speed, ${phaseMs} ms into a bucket: one alert, on Meta, in the boycott`, async () => {
        const events = await playAlerts({ posts, ...boycott, speed, phaseMs })
        const fired = events.filter(({ event }) => event.state === 'firing')
        assert.deepEqual(
          fired.map(({ event }) => `${event.rule} ${event.instrument}`),
          [`negative-volume ${meta}`],
        )
        const sourceTime = boycott.liveFrom + (fired[0]?.afterSeconds ?? 0) * 1_000 * speed
        assert.ok(sourceTime >= Date.parse('2020-06-29T00:00:00Z'))
        assert.ok(sourceTime <= Date.parse('2020-06-30T12:00:00Z'))
        const [text] = fired[0]?.event.texts ?? []
        assert.ok(text !== undefined && text.negative > 0.8)
      })

  for (const date of ['2020-04-28', '2020-06-18'])
    for (const { name, speed } of speeds)
      it(`an ordinary day, ${date}, at ${name} speed: no alert`, async () => {
        const liveFrom = Date.parse(date)
        const replay = { posts, liveFrom, liveTo: liveFrom + day, speed, phaseMs: 0 }
        assert.deepEqual(await playAlerts(replay), [])
      })
})
