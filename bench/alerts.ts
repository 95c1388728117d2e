/**
 * What the alert rule does on a stream of tweets, with the real linker and experts, in virtual time:
 *
 *   node dist/bench/alerts.js            the demo at several speeds and phases, and every day of the bundled stream alone
 *   node dist/bench/alerts.js FILE       a whole other stream, its first two weeks as history
 */
import { join } from 'node:path'
import { packageRoot } from '../infra/package-root.ts'
import {
  playAlerts,
  type ReplayEvent,
  type ReplayPost,
  readStream,
  replayPosts,
} from '../tests/alert-replay.fixture.ts'

const day = 86_400_000
const print = (line: string): boolean => process.stdout.write(`${line}\n`)

const firings = (events: readonly ReplayEvent[]): ReplayEvent[] =>
  events.filter(({ event }) => event.state === 'firing')

const describe = ({ event, afterSeconds }: ReplayEvent): string =>
  `${event.instrument} after ${afterSeconds} s (volume ${event.evidence.observed.toFixed(1)}, expected ${event.evidence.expected.toFixed(1)}, p ${event.evidence.pValue.toExponential(0)}, threshold ${event.evidence.threshold.toExponential(0)})`

async function demo(posts: readonly ReplayPost[]): Promise<void> {
  const live = { liveFrom: Date.parse('2020-06-26'), liveTo: Date.parse('2020-07-03') }
  for (const speed of [2_160, 3_240, 4_320, 6_480, 8_640])
    for (let phaseMs = 0; phaseMs < 10_000; phaseMs += 2_500) {
      const fired = firings(await playAlerts({ posts, ...live, speed, phaseMs }))
      print(`speed ${speed}, phase ${phaseMs} ms: ${fired.map(describe).join('; ')}`)
    }
}

async function daysAlone(posts: readonly ReplayPost[]): Promise<void> {
  const dates = [...new Set(posts.map(({ at }) => new Date(at).toISOString().slice(0, 10)))]
  for (const speed of [2_160, 4_320, 8_640]) {
    const alarms: string[] = []
    const played = dates.slice(10)
    for (const date of played) {
      const liveFrom = Date.parse(date)
      const replay = { posts, liveFrom, liveTo: liveFrom + day, speed, phaseMs: 0 }
      for (const fired of firings(await playAlerts(replay)))
        alarms.push(`${date} ${describe(fired)}`)
    }
    print(
      `speed ${speed}: ${played.length} days alone, ${alarms.length} alerts ${alarms.join('; ')}`,
    )
  }
}

async function wholeStream(posts: readonly ReplayPost[]): Promise<void> {
  const [first, last] = [posts[0]?.at ?? 0, posts.at(-1)?.at ?? 0]
  const liveFrom = first + 14 * day
  for (const speed of [540, 1_080, 2_160, 4_320, 8_640]) {
    const replay = { posts, liveFrom, liveTo: last + 1, speed, phaseMs: 0 }
    const fired = firings(await playAlerts(replay)).map((firing) => {
      const at = new Date(liveFrom + firing.afterSeconds * 1_000 * speed).toISOString()
      return `${at.slice(0, 16)} ${firing.event.instrument}`
    })
    print(`speed ${speed}: ${fired.length} alerts: ${fired.join('; ')}`)
  }
}

const [file] = process.argv.slice(2)
const posts = await replayPosts(
  readStream(file ?? join(packageRoot, 'data', 'market-tweets-2020.ndjson')),
)
if (file === undefined) {
  await demo(posts)
  await daysAlone(posts)
}
await wholeStream(posts)
